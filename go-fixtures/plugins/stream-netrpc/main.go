// stream-netrpc serves the plugin "stream" over net/rpc; package shared/stream lists its methods.
package main

import (
	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/handshake"
	"example.com/goplug/fixtures/shared/stream"
)

func main() {
	logger := handshake.Logger(stream.Name)
	logger.Info("serving", "plugin", stream.Name, "protocol", "netrpc")
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake.Config,
		Plugins:         plugin.PluginSet{stream.Name: &stream.Plugin{}},
		Logger:          logger,
	})
}
