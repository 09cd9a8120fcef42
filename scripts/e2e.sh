#!/bin/bash
# Runs the browser journeys against the real binary with its demo clinic, on
# free ports and in a folder of its own. DATABASE_URL and REDIS_URL pass through.
#   scripts/e2e.sh <name> [playwright arguments]
set -u
cd "$(dirname "$0")/.."
name=$1
shift
report=$PWD/tmp/e2e-$name.json
data=$(mktemp -d)
rm -f "$report"

free() { # a run of 12 ports nobody listens to
	local base p
	while :; do
		base=$((20000 + RANDOM % 10000))
		for p in $(seq "$base" $((base + 11))); do
			(exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null && continue 2
		done
		echo "$base"
		return
	done
}
base=$(free)
export VISAVIS_LISTEN=localhost:$base VISAVIS_PUBLIC_URL=http://localhost:$base VISAVIS_DATA=$data
export VISAVIS_MEDIA_UDP=$((base + 1)) VISAVIS_MEDIA_TCP=$((base + 1)) VISAVIS_TURN_UDP=$((base + 2)) VISAVIS_TURN_TCP=$((base + 2))
./bin/visavis demo --sim-psc localhost:$((base + 3)) --sim-mssante localhost:$((base + 4)) --sim-mail localhost:$((base + 5)) \
	--sim-imap localhost:$((base + 6)) --sim-mail-web localhost:$((base + 7)) --sim-sms localhost:$((base + 8)) --sim-tsa localhost:$((base + 9)) >"$data/out" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; rm -rf "$data"' EXIT

for _ in $(seq 300); do
	[ -e "$data/links.json" ] && break
	kill -0 "$server" 2>/dev/null || break
	sleep 0.2
done
if [ ! -e "$data/links.json" ]; then
	echo "The demo did not come up:" >&2
	cat "$data/out" >&2
	tail -n 40 "$data/visavis.log" >&2
	exit 1
fi

export VISAVIS_RUN=$name VISAVIS_URL=http://localhost:$base LINKS=$data/links.json PLAYWRIGHT_JSON_OUTPUT_NAME=$report
(cd web && npx playwright test --config e2e/playwright.config.ts --reporter=list,json "$@")
status=$?
if [ $status != 0 ]; then
	mkdir -p tmp
	cp "$data/visavis.log" "tmp/e2e-$name.log" 2>/dev/null
	echo "The server's log: tmp/e2e-$name.log" >&2
fi
exit $status
