// Package greeter is the plugin "greeter": one method without arguments.
//
// Wire service (net/rpc service name "Plugin"):
//
//	Greet(nil interface) string    always "Hello!"
package greeter

import (
	"net/rpc"

	"github.com/hashicorp/go-plugin"
)

// Name is what hosts dispense.
const Name = "greeter"

// Greeter is what the host sees and the plugin implements.
type Greeter interface {
	Greet() (string, error)
}

// Plugin joins Greeter to net/rpc. Impl is set on the plugin's side only.
type Plugin struct{ Impl Greeter }

// Server returns the receiver that the plugin serves.
func (p *Plugin) Server(*plugin.MuxBroker) (any, error) { return &server{p.Impl}, nil }

// Client returns a Greeter that calls over c.
func (*Plugin) Client(_ *plugin.MuxBroker, c *rpc.Client) (any, error) { return &client{c}, nil }

type server struct{ impl Greeter }

func (s *server) Greet(_ any, reply *string) (err error) {
	*reply, err = s.impl.Greet()
	return err
}

type client struct{ rpc *rpc.Client }

func (c *client) Greet() (string, error) {
	var reply string
	err := c.rpc.Call("Plugin.Greet", new(any), &reply)
	return reply, err
}
