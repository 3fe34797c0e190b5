// stdio-netrpc serves the plugin "stdio" over net/rpc; package shared/stdio lists its methods.
package main

import (
	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/handshake"
	"example.com/goplug/fixtures/shared/stdio"
)

func main() {
	logger := handshake.Logger(stdio.Name)
	logger.Info("serving", "plugin", stdio.Name, "protocol", "netrpc")
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake.Config,
		Plugins:         plugin.PluginSet{stdio.Name: &stdio.Plugin{}},
		Logger:          logger,
	})
}
