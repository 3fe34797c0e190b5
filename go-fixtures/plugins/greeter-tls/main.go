// greeter-tls serves the plugin "greeter" over net/rpc with a TLS
// configuration of its own:
//
//	GOPLUG_TLS_...   as package shared/tlsenv says
//	GOPLUG_VERSIONS  app protocol versions, such as 2,3; by default 1 alone
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/greeter"
	"example.com/goplug/fixtures/shared/handshake"
	"example.com/goplug/fixtures/shared/tlsenv"
)

type hello struct{ version int }

func (h hello) Greet() (string, error) { return fmt.Sprintf("Hello from version %d!", h.version), nil }

func main() {
	config := &plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			MagicCookieKey:   handshake.Config.MagicCookieKey,
			MagicCookieValue: handshake.Config.MagicCookieValue,
		},
		VersionedPlugins: map[int]plugin.PluginSet{},
		Logger:           handshake.Logger("greeter-tls"),
	}
	versions := os.Getenv("GOPLUG_VERSIONS")
	if versions == "" {
		versions = "1"
	}
	for _, text := range strings.Split(versions, ",") {
		version, err := strconv.Atoi(text)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(64)
		}
		config.VersionedPlugins[version] = plugin.PluginSet{greeter.Name: &greeter.Plugin{Impl: hello{version}}}
	}
	config.TLSProvider = tlsenv.Provider()
	plugin.Serve(config)
}
