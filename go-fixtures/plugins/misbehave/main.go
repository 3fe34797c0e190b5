// misbehave starts wrongly, in the way that its first argument names:
//
//	nothing            prints nothing and stays alive
//	exit               prints nothing and exits 3, with two lines on stderr
//	exit-zero          the same with exit code 0
//	crash              panics before the handshake (exit code 2, stack on stderr)
//	killed             ends by SIGKILL before the handshake
//	garbage            one line that is no handshake, then stays alive
//	binary             64 KiB of the byte pattern without sense, then stays alive
//	flood              lines that are no handshake, for ever, as fast as they are read
//	longline           bytes without a newline, for ever
//	half               "1|1|unix" without a newline, then stays alive
//	half-exit          the same, then exits 3
//	three              "1|1|unix" with a newline
//	empty-line         an empty line, then stays alive
//	core               core protocol version 2
//	core-text          core protocol version "x"
//	app                app protocol version 99
//	app-text           app protocol version "x"
//	network            network "carrier-pigeon"
//	protocol           protocol "smoke"
//	grpc               announces grpc on a socket where nobody speaks it
//	grpc-no-mux        announces grpc, in six fields, as go-plugin before broker multiplexing
//	grpc-mux-false     announces grpc, with "false" for broker multiplexing
//	grpc-mux-text      announces grpc, with "perhaps" for broker multiplexing
//	cert               a certificate field that is no base64
//	bad-address        a unix socket path that does not exist
//	bad-port           a TCP address whose port is not a number
//	refused            a TCP address where nobody listens
//	banner             three lines, and then the right handshake (it serves "greeter")
//	banner-stderr      10,000 lines on stderr, then the right handshake
//	slow               the right handshake after 2 s
//	four-fields        the right handshake with four fields, as before go-plugin knew gRPC
//	spaces             the right handshake with blanks around it and a CRLF
//	extra              the right handshake with a sixth field of old "extra" data
//	accept-close       announces a socket, closes every connection at once
//	accept-silent      announces a socket, accepts, and never says a word
//	accept-garbage     announces a socket, and answers with bytes that are not yamux
//	no-control         speaks yamux and accepts no stream
//
// Modes that serve end on Quit as any plugin does; the others end on SIGTERM
// and when their parent is gone.
// The cookie is not checked, except in modes that serve.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/yamux"

	"example.com/goplug/fixtures/shared/endself"
	"example.com/goplug/fixtures/shared/linger"
	"example.com/goplug/fixtures/shared/listen"
	"example.com/goplug/fixtures/shared/pattern"
)

func main() {
	mode := ""
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	if run, ok := modes[mode]; ok {
		run()
		return
	}
	fmt.Fprintf(os.Stderr, "misbehave: unknown mode %q\n", mode)
	os.Exit(64)
}

var modes = map[string]func(){
	"nothing":   linger.WhileParentLives,
	"exit":      func() { explain(); os.Exit(3) },
	"exit-zero": func() { explain(); os.Exit(0) },
	"crash":     func() { panic("crash before the handshake") },
	"killed":    func() { _ = endself.Kill(); linger.WhileParentLives() },
	"garbage":   func() { say("Hello, I am no handshake.\n") },
	"binary":    func() { _, _ = os.Stdout.Write(pattern.Bytes(1 << 16)); linger.WhileParentLives() },
	"flood":     func() { repeat("Hello, I am no handshake, over and over.\n") },
	"longline":  func() { repeat(strings.Repeat("x", 1000)) },
	"half":      func() { say("1|1|unix") },
	"half-exit": func() { fmt.Print("1|1|unix"); explain(); os.Exit(3) },
	"three":     func() { say("1|1|unix\n") },
	"empty-line": func() {
		say("\n")
	},
	"core":           func() { say("2|1|unix|/nonexistent/socket|netrpc|\n") },
	"core-text":      func() { say("x|1|unix|/nonexistent/socket|netrpc|\n") },
	"app":            func() { say("1|99|unix|/nonexistent/socket|netrpc|\n") },
	"app-text":       func() { say("1|x|unix|/nonexistent/socket|netrpc|\n") },
	"network":        func() { say("1|1|carrier-pigeon|/nonexistent/socket|netrpc|\n") },
	"protocol":       func() { say("1|1|unix|/nonexistent/socket|smoke|\n") },
	"cert":           func() { say("1|1|unix|/nonexistent/socket|netrpc|" + strings.Repeat("!?", 40) + "\n") },
	"bad-address":    func() { say("1|1|unix|/nonexistent/socket|netrpc|\n") },
	"bad-port":       func() { say("1|1|tcp|127.0.0.1:http-ish|netrpc|\n") },
	"refused":        func() { say("1|1|tcp|127.0.0.1:1|netrpc|\n") },
	"grpc":           func() { onSocket("grpc", discard) },
	"grpc-no-mux":    func() { say("1|1|unix|/nonexistent/socket|grpc|\n") },
	"grpc-mux-false": func() { say("1|1|unix|/nonexistent/socket|grpc||false\n") },
	"grpc-mux-text":  func() { say("1|1|unix|/nonexistent/socket|grpc||perhaps\n") },
	"accept-close":   func() { onSocket("netrpc", func(c net.Conn) { _ = c.Close() }) },
	"accept-silent": func() {
		onSocket("netrpc", discard)
	},
	"accept-garbage": func() {
		onSocket("netrpc", func(c net.Conn) { _, _ = c.Write(pattern.Bytes(1 << 12)); discard(c) })
	},
	"no-control": func() {
		onSocket("netrpc", func(c net.Conn) {
			if s, err := yamux.Server(c, nil); err == nil {
				<-s.CloseChan()
			}
		})
	},
	"banner": func() { fmt.Print("Banner of a careless library\nversion 1.2.3\n\n"); serve() },
	"banner-stderr": func() {
		for i := range 10000 {
			fmt.Fprintf(os.Stderr, "line %d of 10000 before the handshake\n", i+1)
		}
		serve()
	},
	"slow": func() { time.Sleep(2 * time.Second); serve() },
	"four-fields": func() {
		serveEdited(func(f []string) string { return strings.Join(f[:4], "|") + "\n" })
	},
	"spaces": func() {
		serveEdited(func(f []string) string { return "  " + strings.Join(f, "|") + "  \r\n" })
	},
	"extra": func() {
		serveEdited(func(f []string) string { return strings.Join(f[:5], "|") + "|eyJvbGQiOiJleHRyYSJ9\n" })
	},
}

func explain() {
	fmt.Fprint(os.Stderr, "misbehave: cannot read its configuration\nmisbehave: giving up\n")
}

func say(text string) {
	fmt.Print(text)
	linger.WhileParentLives()
}

func repeat(text string) {
	for {
		if _, err := io.WriteString(os.Stdout, text); err != nil {
			return
		}
	}
}

func discard(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// onSocket announces a socket and gives every connection to handle. Its file is
// removed if the end is SIGTERM.
func onSocket(protocol string, handle func(net.Conn)) {
	l, err := listen.AsPlugin()
	if err != nil {
		panic(err)
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	go func() {
		linger.WhileParentLives()
		end <- syscall.SIGTERM
	}()
	fmt.Printf("1|1|%s|%s|\n", listen.Announced(l), protocol)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go handle(c)
		}
	}()
	<-end
	_ = l.Close()
}
