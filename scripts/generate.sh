#!/bin/sh
# Writes the TypeScript types of the API from the OpenAPI document of the
# program. With --check, writes nothing and fails when they are stale.
set -eu
cd "$(dirname "$0")/.."
export GOTOOLCHAIN=go1.27.3
types=web/src/api/schema.gen.ts
mkdir -p tmp
new=$(mktemp -d tmp/generate.XXXXXX)
trap 'rm -rf "$new"' EXIT

go run -tags nomsgpack ./cmd/visavis openapi >"$new/openapi.json"
scripts/tools/openapi/node_modules/.bin/openapi-typescript "$new/openapi.json" -o "$new/schema.gen.ts" >"$new/log" 2>&1 || {
	cat "$new/log" >&2
	exit 1
}
if [ "${1:-}" != --check ]; then
	mv "$new/schema.gen.ts" "$types"
elif ! diff -u "$types" "$new/schema.gen.ts" >"$new/diff"; then
	head -n 40 "$new/diff" >&2
	echo "$types is stale: run make generate" >&2
	exit 1
fi
