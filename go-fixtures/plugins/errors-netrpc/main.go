// errors-netrpc serves the plugins "errors" and "broken" over net/rpc; package
// shared/errs lists their methods.
package main

import (
	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/errs"
	"example.com/goplug/fixtures/shared/handshake"
)

func main() {
	logger := handshake.Logger(errs.Name)
	logger.Info("serving", "plugin", errs.Name, "protocol", "netrpc")
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake.Config,
		Plugins: plugin.PluginSet{
			errs.Name:   &errs.Plugin{},
			errs.Broken: &errs.BrokenPlugin{},
		},
		Logger: logger,
	})
}
