// What a response's header fields say of the call.
import assert from "node:assert/strict";
import { test } from "node:test";
import { GrpcStatus } from "../../../../src/grpc/status.js";
import { responseFault, statusOfTrailers } from "../../../../src/grpc/transport/response-head.js";

const head = (status: string, contentType?: string): string[] => [
  ...[":status", status],
  ...(contentType === undefined ? [] : ["content-type", contentType]),
];

test("gRPC's content types", () => {
  for (const type of ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"])
    assert.equal(responseFault(head("200", type)), undefined, type);
  for (const type of [undefined, "text/html", "application/grpc-web", "application/json"])
    assert.equal(responseFault(head("200", type))?.code, GrpcStatus.UNKNOWN, type);
});

test("an answer of HTTP's is told as such, whatever its content type", () => {
  assert.equal(responseFault(head("503", "application/grpc"))?.code, GrpcStatus.UNAVAILABLE);
  assert.equal(responseFault(head("404", "text/html"))?.code, GrpcStatus.UNIMPLEMENTED);
});

test("the status of what ends a response: gRPC's own comes before HTTP's", () => {
  const own = statusOfTrailers([...head("503"), "grpc-status", "5", "grpc-message", "a%20b", "x", "y"]);
  assert.deepEqual(own, { code: GrpcStatus.NOT_FOUND, details: "a b", trailers: ["x", "y"] });
  assert.equal(statusOfTrailers(head("401")).code, GrpcStatus.UNAUTHENTICATED);
  assert.deepEqual(statusOfTrailers(head("200")), {
    code: GrpcStatus.UNKNOWN,
    details: "server closed the stream without a grpc-status",
    trailers: [],
  });
  assert.equal(statusOfTrailers([]).code, GrpcStatus.UNKNOWN);
});
