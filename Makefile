# visavis. Start with: make run

# Security fixes of the standard library that no packaged Go has yet (docs/deps.md).
export GOTOOLCHAIN := go1.27.3

TAGS := nomsgpack
GOFLAGS_BUILD := -tags $(TAGS)
WEB_SOURCES := $(shell find web/src web/rtc web/public web/index.html web/vite.config.ts web/tsconfig.json -type f 2>/dev/null)
STATICCHECK := go tool -modfile=scripts/tools/go.mod staticcheck

.PHONY: run build web types generate fresh check analyse vulncheck test fuzz soak clean

run: build ## the platform with a demo clinic; DATABASE_URL and REDIS_URL pass through, ARGS="--help"
	./bin/visavis demo $(ARGS)

build: web ## ./bin/visavis, the pages inside
	go build $(GOFLAGS_BUILD) -o bin/visavis ./cmd/visavis

web: web/dist/index.html ## the pages

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	cd web && npx vite build --logLevel warn
	@touch web/dist/.gitkeep $@

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

types: web/node_modules/.package-lock.json ## the types of the pages
	cd web && npx tsc --noEmit

OPENAPI_TOOL := scripts/tools/openapi/node_modules/.package-lock.json

$(OPENAPI_TOOL): scripts/tools/openapi/package.json scripts/tools/openapi/package-lock.json
	cd scripts/tools/openapi && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

generate: $(OPENAPI_TOOL) ## the TypeScript types of the API, from its OpenAPI document
	scripts/generate.sh

fresh: $(OPENAPI_TOOL) ## fails when they are stale
	scripts/generate.sh --check

analyse: ## format, vet, static analysis
	@out=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "gofmt -w $$out"; exit 1; }
	go vet -tags $(TAGS) ./...
	$(STATICCHECK) -tags $(TAGS) ./...

vulncheck: ## known vulnerabilities that our code calls; accepted ones are in scripts/vulnerabilities.tsv
	go run ./scripts/vulncheck

check: web analyse types fresh vulncheck ## fast: analysis, unit tests, tests about the repository
	go test -tags $(TAGS) -short ./...
	cd web && npx vitest run

test: ## everything, on both databases, with real servers and a browser
	@scripts/test.sh

fuzz: ## every parser, FUZZTIME=30s each
	@scripts/fuzz.sh

soak: ## rooms that come and go for SOAK=1h, bad weather, twenty calls that move, and the program killed KILLS=500 times on each database
	go run ./bench/media -rooms 4 -size 3 -soak $${SOAK:-1h}
	VISAVIS_SOAK=1 go test -tags $(TAGS) -count=1 -v -run 'WhatBrowsersMeet|TheKillMatrix|ChecksAConnection' ./cmd/visavis
	WEATHER=30s VISAVIS_CALLS=20 go test -tags $(TAGS) -count=1 -v -run 'BadNetwork|CallsChangeNodes' ./signaling
	VISAVIS_KILLS=$${KILLS:-500} go test -tags $(TAGS) -count=1 -v -run KilledAgain -timeout 25h ./cmd/visavis

clean:
	rm -rf bin tmp web/dist/assets web/dist/index.html web/dist/.vite
