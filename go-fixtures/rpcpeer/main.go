// rpcpeer is plain net/rpc over gob, without go-plugin: a server, a client that
// checks any server, and servers that answer oddly, to check clients with.
//
//	rpcpeer serve [-network unix|tcp] [-address ADDRESS]
//	rpcpeer check [-network unix|tcp] -address ADDRESS [-case NAME,NAME]
//	rpcpeer odd -mode MODE [-network unix|tcp] [-address ADDRESS]
//	rpcpeer list
//
// serve and odd print "listening NETWORK ADDRESS" on stdout, and end on SIGTERM,
// SIGINT, or when their parent is gone. Without -address they choose one (a
// socket in the temporary directory, or a port of 127.0.0.1). check prints
// "ok NAME" or "FAIL NAME: why" a line, and exits 0 or 1; without -case it runs
// all cases that hold for a Go server. list prints the cases (name, whom for,
// what) and the odd modes (name, "odd", what).
//
// The services, on one address; Args is struct{A, B int}, Reply struct{C int}:
//
//	Arith, net.rpc.Arith, newServer.Arith
//	    Add(Args) Reply             C = A + B
//	    Mul(Args) Reply             C = A * B
//	    Div(Args) Reply             C = A / B; B = 0: error "divide by zero"
//	    String(Args) string         "A+B=sum"
//	    Scan(string) Reply          C = the number in the text; else an error
//	    SleepMilli(Args) Reply      C = A, after A ms
//	    Error(Args) Reply           panics with "ERROR" (ends a Go server)
//	    Fail(string) Reply          fails with that text
//	    Echo([]byte) []byte         the same bytes
//	    Nothing(nil interface) nil  answers nothing
//	Embed
//	    Exported(Args) Reply        C = A + B; in Go a method of an embedded type
//	BuiltinTypes
//	    Map(Args) map[int]int       {A: B}
//	    Slice(Args) []int           [A, B]
//	    Array(Args) [2]int          [A, B]
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"example.com/goplug/fixtures/shared/linger"
)

func main() {
	log.SetOutput(io.Discard)
	if len(os.Args) < 2 {
		usage()
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	network := flags.String("network", "unix", "unix or tcp")
	address := flags.String("address", "", "socket path or host:port")
	names := flags.String("case", "", "cases, with commas")
	mode := flags.String("mode", "", "what the odd server does")
	_ = flags.Parse(os.Args[2:])

	switch os.Args[1] {
	case "serve":
		server := newServer()
		listen(*network, *address, func(c net.Conn) { server.ServeConn(c) })
	case "odd":
		handle := odd[*mode].handle
		if handle == nil {
			usage()
		}
		listen(*network, *address, func(c net.Conn) {
			defer func() { _ = c.Close() }()
			handle(newOddConn(c))
		})
	case "check":
		if *address == "" {
			usage()
		}
		var chosen []string
		if *names != "" {
			chosen = strings.Split(*names, ",")
		}
		os.Exit(runChecks(*network, *address, chosen))
	case "list":
		for _, c := range checks {
			fmt.Printf("%s\t%s\t%s\n", c.name, c.scope, c.about)
		}
		for _, name := range oddNames() {
			fmt.Printf("%s\todd\t%s\n", name, odd[name].about)
		}
	default:
		usage()
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: rpcpeer serve|check|odd|list; see the comment at the top of rpcpeer/main.go")
	os.Exit(64)
}

// listen serves connections until the process is told to end.
func listen(network, address string, handle func(net.Conn)) {
	if address == "" && network == "tcp" {
		address = "127.0.0.1:0"
	}
	if address == "" {
		f, err := os.CreateTemp("", "rpcpeer")
		if err != nil {
			fail(err)
		}
		address = f.Name()
		_ = f.Close()
		_ = os.Remove(address)
	}
	l, err := net.Listen(network, address)
	if err != nil {
		fail(err)
	}
	// Before anybody knows where it listens, and may end it: the socket file is removed in every case.
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, os.Interrupt)
	fmt.Println("listening", network, l.Addr())
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go handle(c)
		}
	}()
	go func() {
		linger.WhileParentLives()
		end <- syscall.SIGTERM
	}()
	<-end
	_ = l.Close() // removes the socket file
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "rpcpeer:", err)
	os.Exit(1)
}
