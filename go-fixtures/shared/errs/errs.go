// Package errs is the plugin "errors": every way in which a call can fail.
//
// Wire service (net/rpc service name "Plugin"):
//
//	Plain(text string) nil          fails with that text; an empty text counts as success, as in Go
//	Basic(text string) BasicReply{Value string, Error *plugin.BasicError}
//	    answers Value "value of " + text; Error carries the text, and is nil if the text is empty.
//	    On the wire BasicError is struct{Message string}.
//	Registered(text string) RegisteredReply{Value string, Error error}
//	    the same with the error in an interface field, holding the concrete type registered as
//	    "*plugin.BasicError" (nil if the text is empty)
//	Add(AddArgs{A int, B int}) int  A + B, to be called with a wrong type of argument
//	Nothing(nil) nil                answers nothing
//
// and, for plugins that outlive them (a Go plugin dies of the first and closes
// the connection at the second):
//
//	Panic(text string) nil          the handler panics or throws with the text
//	BadReply(nil) string            the handler answers something that is no string
//
// A second plugin in the same set, "broken", cannot be dispensed: its factory
// fails with "factory refused: broken".
package errs

import (
	"encoding/gob"
	"errors"
	"net/rpc"

	"github.com/hashicorp/go-plugin"
)

// Name and Broken are what hosts dispense.
const (
	Name   = "errors"
	Broken = "broken"
)

type (
	BasicReply struct {
		Value string
		Error *plugin.BasicError
	}
	RegisteredReply struct {
		Value string
		Error error
	}
	AddArgs struct{ A, B int }
)

func init() { gob.Register(&plugin.BasicError{}) }

// Plugin joins the service to net/rpc.
type Plugin struct{}

// Server returns the receiver that the plugin serves.
func (*Plugin) Server(*plugin.MuxBroker) (any, error) { return &server{}, nil }

// Client returns the *rpc.Client itself.
func (*Plugin) Client(_ *plugin.MuxBroker, c *rpc.Client) (any, error) { return c, nil }

// BrokenPlugin fails to make its receiver.
type BrokenPlugin struct{ Plugin }

// Server always fails.
func (*BrokenPlugin) Server(*plugin.MuxBroker) (any, error) {
	return nil, errors.New("factory refused: broken")
}

type server struct{}

func (*server) Plain(text string, _ *any) error { return errors.New(text) }

func basic(text string) *plugin.BasicError {
	if text == "" {
		return nil
	}
	return plugin.NewBasicError(errors.New(text))
}

func (*server) Basic(text string, reply *BasicReply) error {
	*reply = BasicReply{Value: "value of " + text, Error: basic(text)}
	return nil
}

func (*server) Registered(text string, reply *RegisteredReply) error {
	reply.Value = "value of " + text
	if e := basic(text); e != nil {
		reply.Error = e
	}
	return nil
}

func (*server) Add(args AddArgs, reply *int) error {
	*reply = args.A + args.B
	return nil
}

func (*server) Nothing(_ any, _ *any) error { return nil }

func (*server) Panic(text string, _ *any) error { panic(text) }
