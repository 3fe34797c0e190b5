// kv-netrpc serves the plugin "kv" over net/rpc; its methods are listed in
// package shared/kv, and the environment that makes it disobey in package
// shared/disobey. Start-up faults are the plugin misbehave's.
package main

import (
	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/disobey"
	"example.com/goplug/fixtures/shared/handshake"
	"example.com/goplug/fixtures/shared/kv"
)

func main() {
	logger := handshake.Logger("kv")
	logger.Debug("starting", "plugin", kv.Name)
	end := disobey.Start(logger)
	logger.Info("serving", "plugin", kv.Name, "protocol", "netrpc")

	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake.Config,
		Plugins:         plugin.PluginSet{kv.Name: &kv.Plugin{Receiver: kv.NewReceiver(logger)}},
		Logger:          logger,
	})
	end()
}
