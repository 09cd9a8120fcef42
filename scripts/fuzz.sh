#!/bin/bash
# Fuzzes every target of the repository, each for FUZZTIME (30s).
set -u
cd "$(dirname "$0")/.."
export GOTOOLCHAIN=go1.27.3
status=0
while IFS=: read -r file _ line; do
	target=$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' <<<"$line")
	echo "== ${file%/*} $target"
	go test -tags nomsgpack -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-30s}" "./${file%/*}" || status=1
done < <(grep -rn --include='*_test.go' '^func Fuzz' --exclude-dir=node_modules . | sed 's|^\./||')
exit $status
