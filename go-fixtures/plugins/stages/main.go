// stages is a plugin that lets its host down at a moment of the test's choice:
//
//	stages STAGE FAULT
//
// It speaks go-plugin's net/rpc protocol by itself, so that it can do so at
// moments that go-plugin does not let a program see. Stages:
//
//	handshake   its socket listens, the handshake line is not printed yet
//	accept      a connection has come, nothing was read from it
//	streams     the session stands, and one of its first three streams was accepted
//	dispense    Dispense was called, and is not answered
//	broker      Dispense was answered, and the host dials the brokered stream
//	call        Plugin.Hang was called, and is not answered
//	stream      half of the bytes of a raw brokered stream are out
//	quit        Quit was called, and is not answered
//	after-quit  Quit was answered
//	never       does all it should
//
// Faults:
//
//	kill        SIGKILL to itself
//	hold        the same, while a child that holds stdout, stderr and the connection stays for 60 s;
//	            "grandchild PID" on stderr tells which
//	exit        exits with code 3
//	stop        SIGSTOP to itself
//	close       closes the connection and the listener, and stays
//	silent      does nothing any more, and stays
//	full        announces a TCP address whose backlog is full (stage handshake only)
//	long        announces a unix socket whose path is too long for the system (stage handshake only)
//	fork        starts such a child as hold does, and goes on as it should
//
// Plugin types: any name. Wire service "Plugin":
//
//	Greet(nil) string     "Hello!"
//	Hang(nil) nil         never answers
//	Open(nil) uint32      answers an id on which one stream is accepted that carries 1 MiB of zeros and ends
//
// It ends with its parent, and after Quit unless the fault keeps it.
package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/yamux"

	"example.com/goplug/fixtures/shared/endself"
	"example.com/goplug/fixtures/shared/linger"
	"example.com/goplug/fixtures/shared/listen"
)

var (
	stage, fault string
	listener     net.Listener
	conn         handle
	forked       atomic.Bool
)

// handle is a connection that another process can be given.
type handle interface {
	net.Conn
	File() (*os.File, error)
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: stages STAGE FAULT")
		os.Exit(64)
	}
	stage, fault = os.Args[1], os.Args[2]
	go func() {
		linger.WhileParentLives()
		os.Exit(0)
	}()

	var err error
	listener, err = listen.AsPlugin()
	check(err)
	reach("handshake")
	fmt.Printf("1|1|%s|netrpc|\n", listen.Announced(listener))
	for {
		c, err := listener.Accept()
		if err != nil {
			linger.WhileParentLives()
			return
		}
		conn = c.(handle)
		reach("accept")
		go serve(c)
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// reach commits the fault if this is its stage, and comes back if the plugin is
// to go on.
func reach(at string) {
	if at != stage {
		return
	}
	switch fault {
	case "kill":
		forGood(endself.Kill)
	case "hold":
		fork()
		forGood(endself.Kill)
	case "exit":
		fmt.Fprintf(os.Stderr, "stages: giving up at %s\n", at)
		os.Exit(3)
	case "stop":
		forGood(endself.Stop)
	case "close":
		if conn != nil {
			_ = conn.Close()
		}
		_ = listener.Close()
		select {}
	case "silent":
		select {}
	case "full":
		fmt.Printf("1|1|tcp|%s|netrpc|\n", fullBacklog())
		select {}
	case "long":
		fmt.Printf("1|1|unix|/tmp/%s|netrpc|\n", strings.Repeat("long", 50))
		select {}
	case "fork":
		if forked.CompareAndSwap(false, true) {
			fork()
		}
	default:
		fmt.Fprintf(os.Stderr, "stages: no fault %q\n", fault)
		os.Exit(64)
	}
}

// forGood does not come back, even where the end is awaited in vain.
func forGood(end func() error) {
	_ = end()
	select {}
}

// fork leaves a child behind that has this process's pipes and connection.
func fork() {
	child := exec.Command("sleep", "60")
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	if conn != nil {
		file, err := conn.File()
		check(err)
		child.ExtraFiles = []*os.File{file}
	}
	check(child.Start())
	fmt.Fprintf(os.Stderr, "grandchild %d\n", child.Process.Pid)
}

func serve(c net.Conn) {
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard
	session, err := yamux.Server(c, config)
	check(err)
	control, err := session.Accept()
	if err != nil {
		return
	}
	reach("streams")
	for range 2 {
		if _, err := session.Accept(); err != nil {
			return
		}
	}
	server := rpc.NewServer()
	check(server.RegisterName("Control", &controlService{}))
	check(server.RegisterName("Dispenser", &dispenserService{}))
	go server.ServeConn(control)
	for {
		s, err := session.Accept()
		if err != nil {
			return
		}
		go broker(s)
	}
}

// Even ids are those of Dispense, odd ones those of Open.
var ids atomic.Uint32

func broker(s net.Conn) {
	reach("broker")
	var id uint32
	if binary.Read(s, binary.LittleEndian, &id) != nil || binary.Write(s, binary.LittleEndian, id) != nil {
		return
	}
	if id%2 == 0 {
		server := rpc.NewServer()
		check(server.RegisterName("Plugin", &pluginService{}))
		server.ServeConn(s)
		return
	}
	half := make([]byte, 1<<19)
	if _, err := s.Write(half); err != nil {
		return
	}
	reach("stream")
	_, _ = s.Write(half)
	_ = s.Close()
}

type controlService struct{}

func (*controlService) Ping(bool, *struct{}) error { return nil }

func (*controlService) Quit(bool, *struct{}) error {
	reach("quit")
	go func() {
		time.Sleep(20 * time.Millisecond)
		reach("after-quit")
		_ = listener.Close()
		os.Exit(0)
	}()
	return nil
}

type dispenserService struct{}

func (*dispenserService) Dispense(_ string, id *uint32) error {
	reach("dispense")
	*id = ids.Add(1) * 2
	return nil
}

type pluginService struct{}

func (*pluginService) Greet(_ any, reply *string) error {
	*reply = "Hello!"
	return nil
}

func (*pluginService) Hang(_ any, _ *any) error {
	reach("call")
	select {}
}

func (*pluginService) Open(_ any, id *uint32) error {
	*id = ids.Add(1)*2 + 1
	return nil
}
