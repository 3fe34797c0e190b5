// host-check is a Go host, built on the newest go-plugin, that loads any plugin
// by its command line and checks one thing about it:
//
//	host-check -case NAME [-v] [-bare] -- COMMAND ARGUMENTS...
//	host-check -list [-protocol grpc]
//	host-check -self DIRECTORY [-protocol netrpc|grpc]
//
// It prints "ok" and exits 0, or prints what is wrong and exits 1 (2: it did
// not end within the case's limit; 64: wrong use). -case takes a list too
// (a,b,c), and then prints "ok NAME" a line. If the check fails, or with -v, the
// plugin's real stderr follows on stderr.
//
// -list prints a line a case: name, the service that the plugin must serve
// (package shared/<service> defines it; "any" is any service of these), whom it
// is for, and what is checked. For: "all" holds for every plugin, "ts" asks for
// more than Go plugins do, "go" is about Go plugins only. The cases over gRPC
// are listed by -protocol grpc; there the service is the .proto files that the
// plugin must serve: "kv" kv.proto, tools.proto and stream.proto, "store" kv.proto
// alone, "counter" counter.proto, "versioned" kv.proto in version 3 and net/rpc's
// kv in version 2.
//
// -bare is for a gRPC plugin that has nothing but its services and health (the
// guide "Writing plugins without Go"): it cannot be asked to end, so it need
// not end well, and its socket may stay.
//
// -self checks the Go plugins: every case that holds for them, with
// DIRECTORY/<service>-netrpc, DIRECTORY/<service>-grpc or DIRECTORY/versioned.
//
// Every case is bounded in time, runs the plugin in a process group of its own,
// and fails if a process of that group is left.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"
)

type check struct {
	name    string
	service string
	scope   string // all, ts or go
	limit   time.Duration
	about   string
	run     func(*harness) error
	grpc    bool
}

// bare is the flag of that name.
var bare bool

const defaultLimit = 60 * time.Second

var checks []check

// add is called by the init functions of the files that hold the cases.
func add(scope, service, name, about string, run func(*harness) error) *check {
	checks = append(checks, check{name, service, scope, defaultLimit, about, run, false})
	return &checks[len(checks)-1]
}

// addGRPC is add for a case over gRPC; its name gets "grpc-" in front.
func addGRPC(scope, service, name, about string, run func(*harness) error) *check {
	c := add(scope, service, "grpc-"+name, about, run)
	c.grpc = true
	return c
}

// within sets another limit than 30 s.
func (c *check) within(limit time.Duration) { c.limit = limit }

func main() {
	names := flag.String("case", "", "the case, or several with commas")
	list := flag.Bool("list", false, "print the cases")
	self := flag.String("self", "", "check the Go plugins in this directory")
	protocol := flag.String("protocol", "", "netrpc or grpc: for -list (by default netrpc) and -self (by default both)")
	flag.BoolVar(&bare, "bare", false, "the plugin has no controller service: it is killed")
	verbose := flag.Bool("v", false, "print the plugin's stderr in any case")
	flag.Parse()
	if !*verbose {
		log.SetOutput(io.Discard) // go-plugin and yamux report the faults that are done to them here
	}

	switch {
	case *list:
		for _, c := range checks {
			if c.grpc != (*protocol == "grpc") {
				continue
			}
			fmt.Printf("%s\t%s\t%s\t%s\n", c.name, c.service, c.scope, c.about)
		}
	case *self != "":
		os.Exit(runSelf(*self, *protocol, *verbose))
	case *names == "" || flag.NArg() == 0:
		flag.Usage()
		os.Exit(64)
	default:
		os.Exit(runNamed(strings.Split(*names, ","), flag.Args(), *verbose))
	}
}

func runNamed(names []string, command []string, verbose bool) int {
	code := 0
	for _, name := range names {
		c := find(name)
		if c == nil {
			fmt.Printf("no such case: %s\n", name)
			return 64
		}
		err := runCase(c, command, verbose)
		suffix := ""
		if len(names) > 1 {
			suffix = " " + name
		}
		if err != nil {
			fmt.Printf("FAIL%s: %v\n", suffix, err)
			code = 1
		} else {
			fmt.Printf("ok%s\n", suffix)
		}
	}
	return code
}

// goPlugin is the Go plugin that the case holds for.
func goPlugin(c *check) string {
	switch {
	case c.service == "versioned":
		return "versioned"
	case c.grpc && c.service == "counter":
		return "counter-grpc"
	case c.grpc:
		return "kv-grpc"
	case c.service == "any":
		return "greeter-netrpc"
	default:
		return c.service + "-netrpc"
	}
}

func runSelf(dir, protocol string, verbose bool) int {
	failed := 0
	for i := range checks {
		c := &checks[i]
		if c.scope == "ts" || protocol != "" && c.grpc != (protocol == "grpc") {
			continue
		}
		start := time.Now()
		err := runCase(c, []string{filepath.Join(dir, goPlugin(c))}, verbose)
		took := time.Since(start).Round(10 * time.Millisecond)
		if err != nil {
			failed++
			fmt.Printf("FAIL %s (%v): %v\n", c.name, took, err)
		} else {
			fmt.Printf("ok %s (%v)\n", c.name, took)
		}
	}
	fmt.Printf("%d failed\n", failed)
	return min(failed, 1)
}

func find(name string) *check {
	for i := range checks {
		if checks[i].name == name {
			return &checks[i]
		}
	}
	return nil
}

func runCase(c *check, command []string, verbose bool) error {
	h := newHarness(command)
	watchdog := time.AfterFunc(c.limit, func() {
		h.killAll()
		fmt.Printf("FAIL: %s did not end within %v\n", c.name, c.limit)
		h.dump(os.Stderr)
		os.Exit(2)
	})
	defer watchdog.Stop()
	err := c.run(h)
	if end := h.end(err == nil); err == nil {
		err = end
	}
	if err != nil || verbose {
		h.dump(os.Stderr)
	}
	return err
}
