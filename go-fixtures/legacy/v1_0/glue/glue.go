// Package glue joins the common services to go-plugin v1.0.1.
package glue

import (
	"net/rpc"

	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/legacy/common"
)

// Handshake is that of all fixtures.
var Handshake = plugin.HandshakeConfig{
	ProtocolVersion:  common.ProtocolVersion,
	MagicCookieKey:   common.MagicCookieKey,
	MagicCookieValue: common.MagicCookieValue,
}

// Named is the plugin of one name.
type Named string

// Server returns the receiver that the plugin serves.
func (n Named) Server(b *plugin.MuxBroker) (interface{}, error) {
	return common.Receiver(string(n), b), nil
}

// Client returns a *common.Conn.
func (Named) Client(b *plugin.MuxBroker, c *rpc.Client) (interface{}, error) {
	return &common.Conn{Client: c, Broker: b}, nil
}

// Set makes the set of plugins of these names.
func Set(names ...string) map[string]plugin.Plugin {
	set := map[string]plugin.Plugin{}
	for _, name := range names {
		set[name] = Named(name)
	}
	return set
}
