"""The client's side of gRPC's interoperability suite (grpc: doc/interop-test-descriptions.md), on grpcio.

    suite_client.py CASE PORT [--ca FILE] [--compression gzip|deflate]

It runs one case against the server on that port of this machine, and fails with a traceback.
"""

import argparse
import os
import queue
import sys
import threading
import traceback

import grpc

import testing_pb2
import testing_pb2_grpc

REQUEST_SIZES = (27182, 8, 1828, 45904)
RESPONSE_SIZES = (31415, 9, 2653, 58979)
INITIAL = ("x-grpc-test-echo-initial", "test_initial_metadata_value")
TRAILING = ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab")
COMPRESSIONS = {"gzip": grpc.Compression.Gzip, "deflate": grpc.Compression.Deflate}
# Below that of the case which starts this program, so that a call without an answer is told as one.
LIMIT = 30


def payload(size):
    return testing_pb2.Payload(body=bytes(size))


def output_request(request_size, *response_sizes, status=None):
    parameters = [testing_pb2.ResponseParameters(size=size) for size in response_sizes]
    return testing_pb2.StreamingOutputCallRequest(
        response_parameters=parameters, payload=payload(request_size), response_status=status
    )


def check(actual, expected):
    assert actual == expected, f"{actual!r} instead of {expected!r}"


def check_failure(action, code, details=None):
    try:
        action()
    except grpc.RpcError as error:
        check(error.code(), code)
        if details is not None:
            check(error.details(), details)
    else:
        raise AssertionError(f"no failure, instead of {code}")


class Requests:
    """An iterator of requests that are put in one after another."""

    def __init__(self):
        self._queue = queue.Queue()

    def __iter__(self):
        return iter(self._queue.get, None)

    def send(self, request):
        self._queue.put(request)

    def end(self):
        self._queue.put(None)


def empty_unary(stub):
    check(stub.EmptyCall(testing_pb2.Empty(), timeout=LIMIT), testing_pb2.Empty())


def large_unary(stub):
    request = testing_pb2.SimpleRequest(response_size=314159, payload=payload(271828))
    check(stub.UnaryCall(request, timeout=LIMIT).payload.body, bytes(314159))


def client_streaming(stub):
    requests = (testing_pb2.StreamingInputCallRequest(payload=payload(size)) for size in REQUEST_SIZES)
    check(stub.StreamingInputCall(requests, timeout=LIMIT).aggregated_payload_size, 74922)


def server_streaming(stub):
    answers = stub.StreamingOutputCall(output_request(0, *RESPONSE_SIZES), timeout=LIMIT)
    check([len(answer.payload.body) for answer in answers], list(RESPONSE_SIZES))


def ping_pong(stub):
    requests = Requests()
    answers = stub.FullDuplexCall(iter(requests), timeout=LIMIT)
    for request_size, response_size in zip(REQUEST_SIZES, RESPONSE_SIZES):
        requests.send(output_request(request_size, response_size))
        check(len(next(answers).payload.body), response_size)
    requests.end()
    check(list(answers), [])


def empty_stream(stub):
    check(list(stub.FullDuplexCall(iter(()), timeout=LIMIT)), [])


def timeout_on_sleeping_server(stub):
    requests = Requests()
    answers = stub.FullDuplexCall(iter(requests), timeout=0.001)
    requests.send(output_request(27182))
    check_failure(lambda: next(answers), grpc.StatusCode.DEADLINE_EXCEEDED)
    requests.end()


def cancel_after_begin(stub):
    requests = Requests()
    call = stub.StreamingInputCall.future(iter(requests))
    call.cancel()
    check(call.cancelled(), True)
    check(call.code(), grpc.StatusCode.CANCELLED)
    requests.end()


def cancel_after_first_response(stub):
    requests = Requests()
    answers = stub.FullDuplexCall(iter(requests))
    requests.send(output_request(27182, 31415))
    check(len(next(answers).payload.body), 31415)
    answers.cancel()
    check_failure(lambda: next(answers), grpc.StatusCode.CANCELLED)
    requests.end()


def status_code_and_message(stub):
    message = "test status message"
    status = testing_pb2.EchoStatus(code=2, message=message)
    unary = testing_pb2.SimpleRequest(response_status=status)
    check_failure(lambda: stub.UnaryCall(unary, timeout=LIMIT), grpc.StatusCode.UNKNOWN, message)
    answers = stub.FullDuplexCall(iter((output_request(0, status=status),)), timeout=LIMIT)
    check_failure(lambda: list(answers), grpc.StatusCode.UNKNOWN, message)


def special_status_message(stub):
    message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
    status = testing_pb2.EchoStatus(code=2, message=message)
    request = testing_pb2.SimpleRequest(response_status=status)
    check_failure(lambda: stub.UnaryCall(request, timeout=LIMIT), grpc.StatusCode.UNKNOWN, message)


def unimplemented_method(stub):
    action = lambda: stub.UnimplementedCall(testing_pb2.Empty(), timeout=LIMIT)
    check_failure(action, grpc.StatusCode.UNIMPLEMENTED)


def custom_metadata(stub):
    sent = (INITIAL, TRAILING)
    request = testing_pb2.SimpleRequest(response_size=314159, payload=payload(271828))
    _, unary = stub.UnaryCall.with_call(request, metadata=sent, timeout=LIMIT)
    duplex = stub.FullDuplexCall(iter((output_request(271828, 314159),)), metadata=sent, timeout=LIMIT)
    check(len(list(duplex)), 1)
    for call in (unary, duplex):
        assert INITIAL in [tuple(pair) for pair in call.initial_metadata()], call.initial_metadata()
        assert TRAILING in [tuple(pair) for pair in call.trailing_metadata()], call.trailing_metadata()


def concurrent_large_unary(stub):
    failures = []

    def work():
        try:
            for _ in range(20):
                large_unary(stub)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(failures, [])


def rpc_soak(stub):
    for _ in range(50):
        large_unary(stub)


ON_THE_STUB = (
    empty_unary,
    large_unary,
    client_streaming,
    server_streaming,
    ping_pong,
    empty_stream,
    timeout_on_sleeping_server,
    cancel_after_begin,
    cancel_after_first_response,
    status_code_and_message,
    special_status_message,
    unimplemented_method,
    custom_metadata,
    concurrent_large_unary,
    rpc_soak,
)


def unimplemented_service(connect):
    with connect() as channel:
        unimplemented_method(testing_pb2_grpc.UnimplementedServiceStub(channel))


def channel_soak(connect):
    for _ in range(10):
        with connect() as channel:
            large_unary(testing_pb2_grpc.TestServiceStub(channel))


def on_the_stub(case):
    def run(connect):
        with connect() as channel:
            case(testing_pb2_grpc.TestServiceStub(channel))

    return run


CASES = {case.__name__: on_the_stub(case) for case in ON_THE_STUB}
CASES.update((case.__name__, case) for case in (unimplemented_service, channel_soak))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=CASES)
    parser.add_argument("port", type=int)
    parser.add_argument("--ca")
    parser.add_argument("--compression", choices=COMPRESSIONS)
    args = parser.parse_args()
    target = f"127.0.0.1:{args.port}"
    # Each channel has a connection of its own.
    options = (
        ("grpc.max_receive_message_length", -1),
        ("grpc.use_local_subchannel_pool", 1),
        # The server is on this machine, whatever proxy the environment names.
        ("grpc.enable_http_proxy", 0),
        ("grpc.ssl_target_name_override", "localhost"),
    )
    compression = COMPRESSIONS.get(args.compression)

    def connect():
        if args.ca is None:
            return grpc.insecure_channel(target, options=options, compression=compression)
        with open(args.ca, "rb") as file:
            credentials = grpc.ssl_channel_credentials(file.read())
        return grpc.secure_channel(target, credentials, options=options, compression=compression)

    CASES[args.case](connect)


if __name__ == "__main__":
    code = 0
    try:
        main()
    except Exception:
        traceback.print_exc()
        code = 1
    # Without the interpreter's own end: once in some 700 it waits there for ever, when a call that is collected wants a lock
    # which a thread of grpcio's held as the interpreter stopped it.
    sys.stderr.flush()
    os._exit(code)
