// Yamuxpeer is the Go side of the yamux interop cases and benchmarks.
//
//	yamuxpeer serve [flags]            listens, and does on each stream what its first byte says
//	yamuxpeer run [flags] SCENARIO     dials, plays a scenario against a server, exits 0 if it went well
//	yamuxpeer bench [flags] KIND N     dials, drives a server, prints one figure per second
//	yamuxpeer rawserve [flags]         listens without yamux: each connection is echoed
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/hashicorp/yamux"
)

var (
	network      = flag.String("network", "unix", "unix or tcp")
	address      = flag.String("address", "", "socket path, or host:port")
	role         = flag.String("role", "", "client or server; serve defaults to server, the others to client")
	keepalive    = flag.Duration("keepalive", 0, "keepalive interval, 0 = off")
	writeTimeout = flag.Duration("writetimeout", 10*time.Second, "ConnectionWriteTimeout")
	openTimeout  = flag.Duration("opentimeout", 75*time.Second, "StreamOpenTimeout")
	closeTimeout = flag.Duration("closetimeout", 5*time.Minute, "StreamCloseTimeout")
	window       = flag.Uint("window", 256*1024, "MaxStreamWindowSize")
	backlog      = flag.Int("backlog", 256, "AcceptBacklog")
	quiet        = flag.Bool("quiet", false, "no yamux log")
)

func config() *yamux.Config {
	c := yamux.DefaultConfig()
	c.EnableKeepAlive = *keepalive > 0
	if *keepalive > 0 {
		c.KeepAliveInterval = *keepalive
	}
	c.ConnectionWriteTimeout = *writeTimeout
	c.StreamOpenTimeout = *openTimeout
	c.StreamCloseTimeout = *closeTimeout
	c.MaxStreamWindowSize = uint32(*window)
	c.AcceptBacklog = *backlog
	if *quiet {
		c.LogOutput = io.Discard
	}
	return c
}

func session(conn net.Conn, defaultRole string) (*yamux.Session, error) {
	r := *role
	if r == "" {
		r = defaultRole
	}
	if r == "client" {
		return yamux.Client(conn, config())
	}
	return yamux.Server(conn, config())
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "yamuxpeer:", err)
	os.Exit(1)
}

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("which command?"))
	}
	command := os.Args[1]
	if err := flag.CommandLine.Parse(os.Args[2:]); err != nil {
		fail(err)
	}
	var err error
	switch command {
	case "serve":
		err = listen(serveSession)
	case "rawserve":
		err = listen(func(conn net.Conn) {
			defer conn.Close()
			_, _ = io.Copy(conn, conn)
		})
	case "run":
		err = run(flag.Arg(0))
	case "bench":
		n, convErr := strconv.Atoi(flag.Arg(1))
		if convErr != nil {
			fail(convErr)
		}
		err = bench(flag.Arg(0), n)
	default:
		err = fmt.Errorf("unknown command %q", command)
	}
	if err != nil {
		fail(err)
	}
}

func listen(serve func(net.Conn)) error {
	listener, err := net.Listen(*network, *address)
	if err != nil {
		return err
	}
	fmt.Println("LISTENING", listener.Addr().String())
	// Whoever started this process holds its stdin: no process is left behind.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go serve(conn)
	}
}

func dial() (net.Conn, error) {
	return net.DialTimeout(*network, *address, 10*time.Second)
}
