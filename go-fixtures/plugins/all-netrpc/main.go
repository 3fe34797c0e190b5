// all-netrpc serves every service of package shared over net/rpc, for hosts that
// want several plugins of one process.
package main

import (
	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/counter"
	"example.com/goplug/fixtures/shared/errs"
	"example.com/goplug/fixtures/shared/greeter"
	"example.com/goplug/fixtures/shared/handshake"
	"example.com/goplug/fixtures/shared/kv"
	"example.com/goplug/fixtures/shared/stdio"
	"example.com/goplug/fixtures/shared/stream"
)

type hello struct{}

func (hello) Greet() (string, error) { return "Hello!", nil }

func main() {
	logger := handshake.Logger("all")
	logger.Info("serving", "protocol", "netrpc")
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake.Config,
		Plugins: plugin.PluginSet{
			greeter.Name: &greeter.Plugin{Impl: hello{}},
			kv.Name:      &kv.Plugin{Receiver: kv.NewReceiver(logger)},
			counter.Name: &counter.Plugin{},
			stdio.Name:   &stdio.Plugin{},
			stream.Name:  &stream.Plugin{},
			errs.Name:    &errs.Plugin{},
			errs.Broken:  &errs.BrokenPlugin{},
		},
		Logger: logger,
	})
}
