# The commands of the project; README.md explains demo and test.
SHELL := /bin/bash
GO ?= go
RUN := node --import tsx
HAVE_PYTHON := $(shell command -v python3 2>/dev/null)
HAVE_GO := $(shell command -v $(GO) 2>/dev/null)
GO_SOURCES := $(shell find go-fixtures -path go-fixtures/bin -prune -o \( -name '*.go' -o -name go.mod -o -name go.sum \) -print)
TS_SOURCES := $(shell find src -name '*.ts') tsconfig.json tsconfig.build.json
# Without Go the interop matrix skips its cases; under CI=true a skip is a failure.
FIXTURES := $(if $(HAVE_GO),go-fixtures/bin/.built)

.PHONY: help demo test test-node test-node-quick test-runtimes test-windows run-tests run-tests-interop run-tests-quick interop bench check gen reference build fixtures clean

help:
	@echo "make demo     install, build, and call a real Go plugin from TypeScript"
	@echo "make test     everything that must pass: types, unit, conformance, fuzz, faults, interop"
	@echo "make interop  the matrix against real Go peers   [PATTERN='kv']"
	@echo "make test-node NODE=24   the tests under another Node   [ONLY=interop]"
	@echo "make test-node-quick       a part of the matrix under Node 22, 24 and 26   [LINES='22 24']"
	@echo "make test-runtimes        the examples under Node alone, Bun and Deno; the declarations under every @types/node"
	@echo "make test-windows         the matrix on Windows under Wine [PATTERN='kv'] [INSTALL=1]"
	@echo "make bench    measurements beside Go             [PATTERN='^yamux'] [ONE_CPU=1]"
	@echo "make check    format, lint, types, package, import circles (of types, too), generated code"
	@echo "make gen      regenerate generated code"

# The lock file names the packages of every platform, so that an install never rewrites it.
node_modules/.package-lock.json: package.json package-lock.json
	npm ci
	@touch $@

dist/index.js: node_modules/.package-lock.json $(TS_SOURCES) scripts/build.ts
	npm run --silent build
	@touch $@

build: dist/index.js

go-fixtures/bin/.built: $(GO_SOURCES)
	mkdir -p go-fixtures/bin
	cd go-fixtures && $(GO) build -o bin/ ./...
	cd go-fixtures && $(GO) build -race -o bin/host-check-race ./hosts/host-check || echo "no race detector: it needs a C compiler"
	go-fixtures/legacy/build.sh
	go-fixtures/http2/build.sh
	cd go-fixtures/mattermost && $(GO) build -o ../bin/ ./... || echo "no Mattermost peers: see above"
	for module in argo terraform; do (cd go-fixtures/contracts/$$module && $(GO) build -o ../../bin/ ./...) || echo "no $$module contract: see above"; done
	@touch $@

# The peer in Python: a virtual environment of its own, from the Python registry.
go-fixtures/python/.venv/installed.txt: go-fixtures/python/requirements.txt
	go-fixtures/python/setup.sh > /dev/null || echo "no Python peer: see above"

fixtures: $(FIXTURES) $(if $(HAVE_PYTHON),go-fixtures/python/.venv/installed.txt)

demo: build fixtures
	@$(RUN) examples/demo.ts

TESTS := $(shell find test -name '*.test.ts' -not -path 'test/types/*' -not -path 'test/runtimes/*')

test: build fixtures
	npx tsc -p tsconfig.json
	npx tsc -p examples/tsconfig.json
	$(RUN) --test $(TESTS)
	$(RUN) test/interop/main.ts

# The examples under Node without tsx, Bun and Deno, and the declarations under the types of each line of Node; all come from the
# npm registry.
test-runtimes: build fixtures
	$(RUN) --test $(wildcard test/runtimes/*.test.ts)

# The same tests under another Node, which comes from the npm registry. With ONLY=interop the matrix alone.
test-node: build fixtures
	@test -n "$(NODE)" || { echo "which one? make test-node NODE=24"; exit 2; }
	PATH="$$(scripts/runtime.sh $(NODE)):$$PATH" $(MAKE) --no-print-directory run-tests$(if $(ONLY),-$(ONLY))

# Unit tests and matrix on Windows's Node and Go programs, under Wine; see CONTRIBUTING.md. With PATTERN the matrix alone.
test-windows: build
	scripts/windows/test.sh $(if $(PATTERN),'$(PATTERN)')

# A part of the matrix (test/interop/quick.ts) under each other line of Node.
LINES := 22 24 26

test-node-quick: build fixtures
	for line in $(LINES); do PATH="$$(scripts/runtime.sh $$line):$$PATH" $(MAKE) --no-print-directory run-tests-quick || exit 1; done

run-tests-quick:
	@node --version
	$(RUN) test/interop/main.ts --quick

run-tests: run-tests-interop
	$(RUN) --test $(TESTS)

run-tests-interop:
	@node --version
	$(RUN) test/interop/main.ts

interop: build fixtures
	$(RUN) test/interop/main.ts $(if $(PATTERN),'$(PATTERN)')

bench: build fixtures
	$(RUN) bench/main.ts $(if $(PATTERN),'$(PATTERN)') $(if $(ONE_CPU),--one-cpu)

check: build
	npx biome check --error-on-warnings .
	npx tsc -p tsconfig.json
	npx tsc -p examples/tsconfig.json
	npx dpdm --no-tree --no-warning --exit-code circular:1 'src/**/*.ts'
	npx knip
	npx publint --strict
	npx attw --pack . --profile node16
	old=$$(mktemp -d) && tar cf - $(GENERATED) | tar xf - -C $$old && $(MAKE) --silent gen CHECK=1 && \
	  for folder in $(GENERATED); do diff -r $$old/$$folder $$folder || exit 1; done && rm -r $$old

GENERATED := src/grpc/gen test/interop/gen examples/kv-grpc/gen examples/negotiated/gen examples/hooks-server/gen \
  examples/goatkit/gen examples/mattermost/gen docs/reference

gen: node_modules/.package-lock.json reference
	npx buf generate
	npx buf generate go-fixtures/proto --template test/interop/buf.gen.yaml
	npx buf generate examples/kv-grpc --template examples/buf.gen.yaml
	npx buf generate examples/hooks-server --template examples/hooks-server/buf.gen.yaml
	scripts/gen-go.sh $(if $(CHECK),--check)

# The reference from the docstrings; what has none is an error. Its generator needs a TypeScript of its own, so it is a
# package apart.
scripts/reference/node_modules/.package-lock.json: scripts/reference/package-lock.json
	npm ci --silent --prefix scripts/reference
	@touch $@

reference: node_modules/.package-lock.json scripts/reference/node_modules/.package-lock.json
	scripts/reference/node_modules/.bin/typedoc --options scripts/reference/typedoc.json --logLevel Warn

clean:
	rm -rf dist go-fixtures/bin bench/results.json
