package main

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

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

// waitForEnd waits for SIGTERM, so that the caller's clean-up runs.
func waitForEnd() {
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, syscall.SIGTERM)
	<-ch
}

// sleepForEver is no `select {}`, which Go's runtime would report as a deadlock.
func sleepForEver() {
	for {
		time.Sleep(time.Hour)
	}
}
