// Package grpcglue joins the common gRPC services to go-plugin v1.0.1.
package grpcglue

import (
	"context"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"example.com/goplug/fixtures/legacy/grpckv"
)

// Set is the plugin under the name "kv".
var Set = map[string]plugin.Plugin{"kv": &joined{}}

type joined struct{ plugin.NetRPCUnsupportedPlugin }

func (*joined) GRPCServer(broker *plugin.GRPCBroker, s *grpc.Server) error {
	grpckv.Register(s, broker)
	return nil
}

func (*joined) GRPCClient(_ context.Context, broker *plugin.GRPCBroker, c *grpc.ClientConn) (interface{}, error) {
	return &grpckv.Conn{ClientConn: c, Broker: broker}, nil
}
