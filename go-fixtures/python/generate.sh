#!/bin/sh
# Makes kv_pb2.py and kv_pb2_grpc.py from ../proto/kv.proto again, with the
# grpcio-tools of the pinned release in a throw-away virtual environment.
set -eu
cd "$(dirname "$0")"
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"${PYTHON:-python3}" -m venv "$tools"
"$tools/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: grpcio-tools==1.76.0
"$tools/bin/python" -m grpc_tools.protoc -I../proto --python_out=. --grpc_python_out=. kv.proto
