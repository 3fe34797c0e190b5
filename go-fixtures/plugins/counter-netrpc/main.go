// counter-netrpc serves the plugin "counter" over net/rpc; package shared/counter lists its methods.
package main

import (
	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/counter"
	"example.com/goplug/fixtures/shared/handshake"
)

func main() {
	logger := handshake.Logger(counter.Name)
	logger.Info("serving", "plugin", counter.Name, "protocol", "netrpc")
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake.Config,
		Plugins:         plugin.PluginSet{counter.Name: &counter.Plugin{}},
		Logger:          logger,
	})
}
