#!/bin/sh
# Builds the fixtures on old go-plugin releases into go-fixtures/bin. Each is a
# module of its own, so `go build ./...` in go-fixtures does not see them.
set -eu
cd "$(dirname "$0")"
for module in v0 v1_0 v1_4; do
  (cd "$module" && go build -o ../../bin/ ./...)
done
