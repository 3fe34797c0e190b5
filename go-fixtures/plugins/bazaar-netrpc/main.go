// Program bazaar-netrpc serves the contract with one of everything, without anything behind it.
package main

import (
	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/bazaar"
)

func main() {
	// So that its callback is in the program, too.
	if err := bazaar.Serve(); err != nil {
		panic(err)
	}
	plugin.Serve(&plugin.ServeConfig{HandshakeConfig: bazaar.Handshake, Plugins: bazaar.PluginMap})
}
