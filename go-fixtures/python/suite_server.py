"""gRPC's interoperability service (grpc: doc/interop-test-descriptions.md, Server), on grpcio.

    suite_server.py [--tls CERT KEY] [--compression gzip|deflate]

It listens on a free port of this machine, which it prints, and ends with its stdin.
"""

import argparse
import sys
import time
from concurrent import futures

import grpc

import testing_pb2
import testing_pb2_grpc

INITIAL_KEY = "x-grpc-test-echo-initial"
TRAILING_KEY = "x-grpc-test-echo-trailing-bin"
COMPRESSIONS = {"gzip": grpc.Compression.Gzip, "deflate": grpc.Compression.Deflate}
CODES = {code.value[0]: code for code in grpc.StatusCode}


def echo_metadata(context):
    for key, value in context.invocation_metadata():
        if key == INITIAL_KEY:
            context.send_initial_metadata(((key, value),))
        elif key == TRAILING_KEY:
            context.set_trailing_metadata(((key, value),))


def echo_status(request, context):
    if request.response_status.code:
        context.abort(CODES[request.response_status.code], request.response_status.message)


def outputs(request):
    for parameters in request.response_parameters:
        time.sleep(parameters.interval_us / 1e6)
        payload = testing_pb2.Payload(body=bytes(parameters.size))
        yield testing_pb2.StreamingOutputCallResponse(payload=payload)


class TestService(testing_pb2_grpc.TestServiceServicer):
    def EmptyCall(self, request, context):
        echo_metadata(context)
        return testing_pb2.Empty()

    def UnaryCall(self, request, context):
        echo_metadata(context)
        echo_status(request, context)
        return testing_pb2.SimpleResponse(payload=testing_pb2.Payload(body=bytes(request.response_size)))

    def StreamingOutputCall(self, request, context):
        echo_status(request, context)
        yield from outputs(request)

    def StreamingInputCall(self, requests, context):
        size = sum(len(request.payload.body) for request in requests)
        return testing_pb2.StreamingInputCallResponse(aggregated_payload_size=size)

    def FullDuplexCall(self, requests, context):
        echo_metadata(context)
        for request in requests:
            echo_status(request, context)
            yield from outputs(request)

    def HalfDuplexCall(self, requests, context):
        for request in list(requests):
            yield from outputs(request)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--compression", choices=COMPRESSIONS)
    args = parser.parse_args()
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=16),
        compression=COMPRESSIONS.get(args.compression),
        options=(("grpc.max_receive_message_length", -1),),
    )
    testing_pb2_grpc.add_TestServiceServicer_to_server(TestService(), server)
    if args.tls:
        cert, key = (open(path, "rb").read() for path in args.tls)
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, cert)]))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(grace=None).wait()


if __name__ == "__main__":
    main()
