// legacy-v1.4-grpc-plugin serves package grpckv's services on go-plugin v1.4.3 over gRPC.
package main

import (
	"os"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/legacy/v1_4/glue"
	"example.com/goplug/fixtures/legacy/v1_4/grpcglue"
)

func main() {
	logger := hclog.New(&hclog.LoggerOptions{
		Name: "legacy", Level: hclog.Trace, Output: os.Stderr, JSONFormat: true,
	})
	logger.Info("serving", "go-plugin", "v1.4.3", "protocol", "grpc")
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: glue.Handshake,
		Plugins:         grpcglue.Set,
		GRPCServer:      plugin.DefaultGRPCServer,
		Logger:          logger,
	})
}
