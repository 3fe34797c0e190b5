#!/bin/sh
# Builds the peers of HTTP/2 and gRPC into go-fixtures/bin: a module of its own, since it has many dependencies, and
# `go build ./...` in go-fixtures does not see it.
set -eu
cd "$(dirname "$0")"
go build -o ../bin/ ./...
go build -o ../bin/h2spec github.com/summerwind/h2spec/cmd/h2spec
go build -o ../bin/grpc-interop-client google.golang.org/grpc/interop/client
