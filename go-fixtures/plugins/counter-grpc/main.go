// counter-grpc serves proto/counter.proto over gRPC, and the tools of
// tools.proto beside it. Packages shared/disobey and shared/tlsenv say which
// environment changes it.
package main

import (
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"example.com/goplug/fixtures/shared/countergrpc"
	"example.com/goplug/fixtures/shared/disobey"
	"example.com/goplug/fixtures/shared/grpcserve"
	"example.com/goplug/fixtures/shared/handshake"
	"example.com/goplug/fixtures/shared/kv"
	"example.com/goplug/fixtures/shared/kvgrpc"
	"example.com/goplug/fixtures/shared/tlsenv"
)

type withTools struct {
	countergrpc.Plugin
	receiver *kv.Receiver
}

func (p *withTools) GRPCServer(broker *plugin.GRPCBroker, s *grpc.Server) error {
	kvgrpc.RegisterTools(s, p.receiver)
	return p.Plugin.GRPCServer(broker, s)
}

func main() {
	logger := handshake.Logger(countergrpc.Name)
	end := disobey.Start(logger)
	logger.Info("serving", "plugin", countergrpc.Name, "protocol", "grpc")
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake.Config,
		Plugins:         plugin.PluginSet{countergrpc.Name: &withTools{receiver: kv.NewReceiver(logger)}},
		GRPCServer:      grpcserve.Server,
		TLSProvider:     tlsenv.Provider(),
		Logger:          logger,
	})
	end()
}
