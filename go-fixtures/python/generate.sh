#!/bin/sh
# Makes kv_pb2.py, testing_pb2.py and their services (*_pb2_grpc.py) again, from
# ../proto/kv.proto and the interoperability suite's testing.proto, with the
# grpcio-tools of the pinned release in a throw-away virtual environment.
set -eu
cd "$(dirname "$0")"
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"${PYTHON:-python3}" -m venv "$tools"
"$tools/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: grpcio-tools==1.76.0
"$tools/bin/python" -m grpc_tools.protoc -I../proto --python_out=. --grpc_python_out=. kv.proto
"$tools/bin/python" -m grpc_tools.protoc -I../../test/interop/suite --python_out=. --grpc_python_out=. testing.proto
