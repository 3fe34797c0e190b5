// Package handshake holds the handshake that every fixture shares, and the
// logger that every plugin fixture writes to its real stderr.
package handshake

import (
	"os"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
)

// Config is the handshake of all fixtures: app protocol version 1 and the
// cookie BASIC_PLUGIN=hello.
var Config = plugin.HandshakeConfig{
	ProtocolVersion:  1,
	MagicCookieKey:   "BASIC_PLUGIN",
	MagicCookieValue: "hello",
}

// Logger returns an hclog JSON logger on the process's real stderr. Call it
// before plugin.Serve, which replaces os.Stderr by the synced stream.
func Logger(name string) hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{
		Name:       name,
		Level:      hclog.Trace,
		Output:     os.Stderr,
		JSONFormat: true,
	})
}
