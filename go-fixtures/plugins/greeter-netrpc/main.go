// greeter-netrpc serves the plugin "greeter" over net/rpc.
package main

import (
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/greeter"
	"example.com/goplug/fixtures/shared/handshake"
)

type hello struct{ logger hclog.Logger }

func (h hello) Greet() (string, error) {
	h.logger.Debug("greeting", "method", "Greet")
	return "Hello!", nil
}

func main() {
	logger := handshake.Logger("greeter")
	logger.Debug("starting", "plugin", greeter.Name)
	logger.Info("serving", "plugin", greeter.Name, "protocol", "netrpc")

	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake.Config,
		Plugins:         plugin.PluginSet{greeter.Name: &greeter.Plugin{Impl: hello{logger}}},
		Logger:          logger,
	})
}
