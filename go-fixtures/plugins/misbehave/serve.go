package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/greeter"
	"example.com/goplug/fixtures/shared/handshake"
)

type hello struct{}

func (hello) Greet() (string, error) { return "Hello!", nil }

// serve is a well-behaved greeter.
func serve() {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake.Config,
		Plugins:         plugin.PluginSet{greeter.Name: &greeter.Plugin{Impl: hello{}}},
		Logger:          handshake.Logger("misbehave"),
	})
}

// serveEdited is serve with another spelling of the handshake line: go-plugin
// prints into a pipe, and what edit makes of the line's fields goes out.
func serveEdited(edit func(fields []string) string) {
	stdout := os.Stdout
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	os.Stdout = w
	go func() {
		line, err := bufio.NewReader(r).ReadString('\n')
		if err != nil {
			fmt.Fprintf(os.Stderr, "misbehave: %v\n", err)
			return
		}
		fmt.Fprint(stdout, edit(strings.Split(strings.TrimSpace(line), "|")))
	}()
	serve()
}
