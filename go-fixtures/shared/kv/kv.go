// Package kv is the plugin "kv": a key-value store in memory, one per process,
// with further methods that let tests make the plugin print, log, hang and die.
//
// Wire service (net/rpc service name "Plugin"); "nil" is a nil interface value:
//
//	Put(map[string]any{"key": string, "value": []byte}) nil
//	Get(key string) []byte          unknown key: error "key not found: NAME"
//	Echo([]byte) []byte             the same bytes
//	Sleep(ms int) int               answers ms after that many milliseconds
//	Pid(nil) int                    the plugin's process id
//	Env(name string) string         the plugin's environment variable, "" if unset
//	WriteStdout(n int) int          writes n bytes of the pattern to os.Stdout, the synced stream
//	WriteStderr(n int) int          the same to os.Stderr
//	Print(text string) int          writes text to os.Stdout as it is
//	PrintErr(text string) int       writes text to os.Stderr as it is
//	LogAll(message string) int      5 hclog lines on the real stderr, one a level from trace to error,
//	                                each with the pairs method=LogAll and n=<0..4>
//	RawStderr(text string) int      writes text to the process's real stderr as it is
//	Hang(nil) nil                   never answers
//	Exit(code int) nil              ends the process with that exit code in mid-call
//	Crash(message string) nil       panics with the message, which ends a Go process with exit code 2
//	KillSelf(nil) nil               sends SIGKILL to its own process
//	Block(ms int) int               the whole process is deaf for that long, as with a blocked event loop
//	Freeze(nil) nil                 sends SIGSTOP to its own process: alive, but deaf to everything
//
// The pattern: byte i of a write is (i*31 + 7) & 0xff, i from 0 in each call.
package kv

import (
	"net/rpc"

	"github.com/hashicorp/go-plugin"
)

// Name is what hosts dispense.
const Name = "kv"

// Store is the store alone; what the examples use.
type Store interface {
	Put(key string, value []byte) error
	Get(key string) ([]byte, error)
}

// Plugin joins the store to net/rpc. Receiver is set on the plugin's side only.
type Plugin struct{ Receiver *Receiver }

// Server returns the receiver that the plugin serves: one store for all connections.
func (p *Plugin) Server(*plugin.MuxBroker) (any, error) { return p.Receiver, nil }

// Client returns a *Client that calls over c.
func (*Plugin) Client(_ *plugin.MuxBroker, c *rpc.Client) (any, error) { return &Client{c}, nil }

// Client is the host's side. RPC is open for calls that have no method here.
type Client struct{ RPC *rpc.Client }

var _ Store = (*Client)(nil)

// Put stores value under key.
func (c *Client) Put(key string, value []byte) error {
	var nothing any
	return c.RPC.Call("Plugin.Put", map[string]any{"key": key, "value": value}, &nothing)
}

// Get returns the value of key.
func (c *Client) Get(key string) (value []byte, err error) {
	err = c.RPC.Call("Plugin.Get", key, &value)
	return value, err
}

// Echo returns what it is given.
func (c *Client) Echo(b []byte) (back []byte, err error) {
	err = c.RPC.Call("Plugin.Echo", b, &back)
	return back, err
}
