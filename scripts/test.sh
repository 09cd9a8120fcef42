#!/bin/bash
# Everything: analysis, unit, repository and integration tests, with the race
# detector where it is cheap, and the journeys in a browser on both databases.
# Goes on after a failure, tells all of them, and ends with
# "N passed, N failed".
set -u
cd "$(dirname "$0")/.."
export GOTOOLCHAIN=go1.27.3
mkdir -p tmp bin
began=$SECONDS
lines=tmp/tally
rm -f "$lines"
go build -o tmp/tally.bin ./scripts/tally || exit 1

tally() { tmp/tally.bin -file "$lines" "$@"; }
step() { # step <name> <command>…: counts as one test
	local name=$1 start=$SECONDS status
	shift
	echo "== $name"
	"$@"
	status=$?
	[ $status = 0 ] || echo "FAILED: $name" >&2
	tally -name "$name" -seconds $((SECONDS - start)) step $status
	return $status
}
gotest() { # gotest <name> <arguments of go test>…
	local name=$1
	shift
	echo "== $name"
	go test -json -tags nomsgpack -timeout 15m "$@" 2>&1 | tally -name "$name" go
}
journeys() { # journeys <name> <command>…
	local name=$1 start=$SECONDS
	shift
	echo "== $name"
	"$@"
	if [ -s "tmp/e2e-${name##* }.json" ]; then
		tally -name "$name" -seconds $((SECONDS - start)) playwright <"tmp/e2e-${name##* }.json"
	else
		tally -name "$name" -seconds $((SECONDS - start)) step 1
	fi
}
aside() { # aside <file> <one of the above> <its arguments>…: beside others; join tells what it said
	local file=$1
	shift
	(
		lines=tmp/tally.$file
		rm -f "$lines"
		"$@"
	) >"tmp/$file.log" 2>&1 &
}
join() { # join <file> <name> <pid>
	wait "$3"
	cat "tmp/$1.log"
	cat "tmp/tally.$1" >>tmp/tally || tally -name "$2" step 1
}

step "tools" scripts/ensure-tools.sh || { tally close; exit 1; }
step "web packages" make -s web/node_modules/.package-lock.json
step "web build and types" make -s web types
aside vulnerabilities step "known vulnerabilities" make -s vulncheck
vulnerabilities=$!
step "web size" npm --prefix web run -s size
echo "== web unit"
start=$SECONDS
(cd web && npx vitest run --reporter=default --reporter=json --outputFile=../tmp/vitest.json)
tally -name "web unit" -seconds $((SECONDS - start)) vitest <tmp/vitest.json
join vulnerabilities "known vulnerabilities" "$vulnerabilities"
step "format, vet, analysis" make -s analyse
step "build" make -s build
step "types of the API are fresh" make -s fresh

# The tests themselves say what they need: missing servers fail, they do not skip.
export CI=true
# The program's own tests mostly wait for it to start, stop and be killed: three at a time, beside the other packages'.
aside kills gotest "go, kills" -run KilledAgain ./cmd/visavis
kills=$!
# The packages that wait longest go first, so that nothing waits for them at the end.
long=$(go list ./cmd/visavis ./signaling ./identity ./encounters ./identity/contacts ./messaging ./internal/installation ./prescriptions ./internal/{cda,events,sheet,audit})
gotest "go" -p 4 -parallel 3 -skip 'KilledAgain|Browser|Chromium' $long $(go list ./... | grep -v '/sfu$')
join kills "go, kills" "$kills"
# Bad networks, whose time counts, and calls between real browsers want the machine for themselves.
gotest "go, bad networks" ./sfu
gotest "go, calls in browsers" -p 1 -run 'Browser|Chromium' ./signaling ./cmd/visavis
# Two at a time: four starve the calls of signaling. The two that wait longest go first.
gotest "go, race detector" -p 2 -short -race ./signaling ./sfu ./internal/{audit,clock,events,httpx,limit,seal,store}/... ./signaling/... ./sfu/... ./turn/...
# How pages look (widths, languages, axe) does not depend on the database: once. Each demo has its own people: the patients'
# phones, then the story on both databases, beside the desks.
beside() {
	journeys "journeys phone" scripts/e2e.sh phone --project=phone
	journeys "journeys postgres" go run ./internal/testkit/services scripts/e2e.sh postgres --project=story
	journeys "journeys story" scripts/e2e.sh story --project=story
	journeys "journeys stepup" env VISAVIS_SIGN_FOR=0s scripts/e2e.sh stepup
}
aside phone beside
phone=$!
journeys "journeys desk" scripts/e2e.sh desk --project=desk
join phone "journeys phone" "$phone"

echo "$((SECONDS - began)) s in all"
tally close
