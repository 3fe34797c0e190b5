# The commands of the project; README.md explains demo and test.
SHELL := /bin/bash
GO ?= go
RUN := node --import tsx
GO_SOURCES := $(shell find go-fixtures -name '*.go' -o -name go.mod -o -name go.sum 2>/dev/null)
TS_SOURCES := $(shell find src -name '*.ts') tsconfig.json tsconfig.build.json
HAVE_GO := $(shell command -v $(GO) 2>/dev/null)

.PHONY: demo test interop bench check gen build fixtures clean

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-fund --no-audit
	@touch $@

dist/index.js: node_modules/.package-lock.json $(TS_SOURCES)
	rm -rf dist
	npx tsc -p tsconfig.build.json

build: dist/index.js

go-fixtures/bin/.built: $(GO_SOURCES)
	cd go-fixtures && $(GO) build -o bin/ ./...
	@touch $@

fixtures: $(if $(HAVE_GO),go-fixtures/bin/.built)

# PATTERN narrows the rows: make bench PATTERN='^yamux'
bench: build fixtures
	$(RUN) bench/main.ts $(PATTERN)

clean:
	rm -rf dist go-fixtures/bin bench/results.json
