"""The key-value plugin of go-plugin's guide "Writing plugins without Go".

It has what the guide asks for and nothing else: the service proto.KV, the
standard health service with "plugin" SERVING, and the handshake line of five
fields. There is no stdio, broker, controller or reflection service, no check of
the cookie, no TLS, and grpcio's own limit of 4 MiB a message.

    kv_plugin.py            listens on 127.0.0.1, on a port that the system chooses
    kv_plugin.py --unix     listens on a unix socket in a directory of its own

It ends on SIGTERM, and when the process that started it is gone.
"""

import os
import shutil
import signal
import sys
import tempfile
import threading
from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

import kv_pb2
import kv_pb2_grpc


class Store(kv_pb2_grpc.KVServicer):
    """A dictionary of bytes, for all connections."""

    def __init__(self):
        self._lock = threading.Lock()
        self._values = {}

    def Put(self, request, context):
        with self._lock:
            self._values[request.key] = request.value
        return kv_pb2.Empty()

    def Get(self, request, context):
        with self._lock:
            value = self._values.get(request.key)
        if value is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"key not found: {request.key}")
        return kv_pb2.GetResponse(value=value)


def main():
    parent = os.getppid()
    directory = None
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=10))
    kv_pb2_grpc.add_KVServicer_to_server(Store(), server)
    servicer = health.HealthServicer()
    servicer.set("plugin", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)

    if sys.argv[1:] == ["--unix"]:
        # A host that makes a folder for sockets removes it, and so also the socket of a plugin that is killed.
        folder = os.environ.get("PLUGIN_UNIX_SOCKET_DIR")
        if not folder:
            folder = directory = tempfile.mkdtemp(prefix="kv-plugin-")
        path = os.path.join(folder, "socket")
        server.add_insecure_port("unix:" + path)
        where = "unix|" + path
    else:
        port = server.add_insecure_port("127.0.0.1:0")
        where = f"tcp|127.0.0.1:{port}"
    server.start()
    print(f"1|1|{where}|grpc", flush=True)

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while not stop.wait(0.5) and os.getppid() == parent:
        pass
    server.stop(grace=1).wait()
    if directory is not None:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
