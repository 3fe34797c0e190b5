// Package common is what the fixtures on old go-plugin releases share. It must
// not know go-plugin, which each of them has in another version.
//
// The services are those of go-fixtures/shared, in part: greeter (Greet), kv
// (Put, Get, Echo, WriteStdout, WriteStderr, Hang), counter (Put, Get, Open).
package common

import (
	"net"
	"net/rpc"
)

// The handshake of all fixtures.
const (
	ProtocolVersion  = 1
	MagicCookieKey   = "BASIC_PLUGIN"
	MagicCookieValue = "hello"
)

// Names are the plugins that the fixtures serve; hosts know "nope" as well.
var Names = []string{"greeter", "kv", "counter"}

// Broker is what these fixtures use of go-plugin's MuxBroker.
type Broker interface {
	NextId() uint32
	Accept(id uint32) (net.Conn, error)
	Dial(id uint32) (net.Conn, error)
	AcceptAndServe(id uint32, v interface{})
}

// Conn is what Dispense gives.
type Conn struct {
	*rpc.Client
	Broker Broker
}

// Pattern is n bytes, byte i being (i*31 + 7) & 0xff.
func Pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*31 + 7)
	}
	return b
}
