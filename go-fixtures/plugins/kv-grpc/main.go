// kv-grpc serves proto/kv.proto, tools.proto and stream.proto over gRPC. Hosts
// may dispense it under any name, "kv" or "kv_grpc" say: gRPC mode does not send it.
// Packages shared/disobey and shared/tlsenv say which environment changes it; it
// does AutoMTLS and broker multiplexing with hosts that ask for them.
package main

import (
	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/disobey"
	"example.com/goplug/fixtures/shared/grpcserve"
	"example.com/goplug/fixtures/shared/handshake"
	"example.com/goplug/fixtures/shared/kv"
	"example.com/goplug/fixtures/shared/kvgrpc"
	"example.com/goplug/fixtures/shared/tlsenv"
)

func main() {
	logger := handshake.Logger("kv")
	end := disobey.Start(logger)
	logger.Info("serving", "plugin", kv.Name, "protocol", "grpc")
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake.Config,
		Plugins:         plugin.PluginSet{kv.Name: &kvgrpc.Plugin{Receiver: kv.NewReceiver(logger)}},
		GRPCServer:      grpcserve.Server,
		TLSProvider:     tlsenv.Provider(),
		Logger:          logger,
	})
	end()
}
