#!/bin/sh
# Makes shared/kvpb and shared/fixturepb from these .proto files, and
# shared/hookspb from the example hooks-server's, with buf of
# the project's devDependencies and the Go generators that go-plugin v1.8.0's
# gRPC release goes with.
set -eu
cd "$(dirname "$0")"
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
GOBIN="$tools" go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.6
GOBIN="$tools" go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.3.0
PATH="$tools:$PATH" ../../node_modules/.bin/buf generate
PATH="$tools:$PATH" ../../node_modules/.bin/buf generate ../../examples/hooks-server --template buf.gen.yaml
