// Package stdio is the plugin "stdio": it prints.
//
// Wire service (net/rpc service name "Plugin"):
//
//	WriteStdout(n int) int          writes n bytes of the pattern to os.Stdout, the synced stream
//	WriteStderr(n int) int          the same to os.Stderr
//	WriteLines(n int) int           writes "out 0\n", "err 0\n", "out 1\n", "err 1\n", ... "err <n-1>\n" to
//	                                os.Stdout and os.Stderr in turn, and answers n
//	Print(text string) int          writes text to os.Stdout as it is; answers the number of bytes
//	PrintErr(text string) int       the same to os.Stderr
//
// Every method answers when its writes have been accepted, which may be before
// the host has them. The pattern: byte i of a write is (i*31 + 7) & 0xff, i from
// 0 in each call.
package stdio

import (
	"fmt"
	"io"
	"net/rpc"
	"os"

	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/pattern"
)

// Name is what hosts dispense.
const Name = "stdio"

// Plugin joins the service to net/rpc.
type Plugin struct{}

// Server returns the receiver that the plugin serves.
func (*Plugin) Server(*plugin.MuxBroker) (any, error) { return &server{}, nil }

// Client returns the *rpc.Client itself.
func (*Plugin) Client(_ *plugin.MuxBroker, c *rpc.Client) (any, error) { return c, nil }

type server struct{}

func (*server) WriteStdout(n int, reply *int) (err error) {
	*reply, err = pattern.WriteTo(os.Stdout, n)
	return err
}

func (*server) WriteStderr(n int, reply *int) (err error) {
	*reply, err = pattern.WriteTo(os.Stderr, n)
	return err
}

func (*server) WriteLines(n int, reply *int) error {
	for i := range n {
		if _, err := fmt.Fprintf(os.Stdout, "out %d\n", i); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(os.Stderr, "err %d\n", i); err != nil {
			return err
		}
	}
	*reply = n
	return nil
}

func (*server) Print(text string, reply *int) (err error) {
	*reply, err = io.WriteString(os.Stdout, text)
	return err
}

func (*server) PrintErr(text string, reply *int) (err error) {
	*reply, err = io.WriteString(os.Stderr, text)
	return err
}
