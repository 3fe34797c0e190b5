// Package grpcserve holds what every gRPC fixture does alike.
package grpcserve

import (
	"math"

	"google.golang.org/grpc"
)

// Server is for plugin.ServeConfig.GRPCServer. go-plugin's own default server
// takes messages of at most 4 MiB, grpc-go's limit, while go-plugin's hosts
// send and take any: fixtures take any too.
func Server(opts []grpc.ServerOption) *grpc.Server {
	return grpc.NewServer(append(opts, grpc.MaxRecvMsgSize(math.MaxInt32), grpc.MaxSendMsgSize(math.MaxInt32))...)
}
