package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/yamux"
)

// rawConn is a connection to a plugin that go-plugin's client had no hand in.
type rawConn struct {
	net.Conn
	session        *yamux.Session
	control        *rpc.Client
	stdout, stderr net.Conn
}

func dialPlain(addr net.Addr) (net.Conn, error) {
	return net.DialTimeout(addr.Network(), addr.String(), 5*time.Second)
}

func dialYamux(addr net.Addr) (*rawConn, error) {
	c, err := dialPlain(addr)
	if err != nil {
		return nil, err
	}
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard
	session, err := yamux.Client(c, config)
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return &rawConn{Conn: c, session: session}, nil
}

// dialRaw opens control, stdout and stderr, as every host does.
func dialRaw(addr net.Addr) (*rawConn, error) {
	r, err := dialYamux(addr)
	if err != nil {
		return nil, err
	}
	var streams [3]net.Conn
	for i := range streams {
		if streams[i], err = r.session.Open(); err != nil {
			_ = r.session.Close()
			return nil, err
		}
	}
	r.control, r.stdout, r.stderr = rpc.NewClient(streams[0]), streams[1], streams[2]
	return r, nil
}

func (r *rawConn) call(method string, args, reply any) error {
	return bounded(10*time.Second, method, func() error { return r.control.Call(method, args, reply) })
}

func (r *rawConn) quit() error {
	var nothing struct{}
	return r.call("Control.Quit", true, &nothing)
}

// answerLost tells whether Quit's answer did not come because the plugin was
// gone already: a Go plugin's process may end before its answer is out.
func answerLost(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, rpc.ErrShutdown)
}

// closedByPeer waits until a read of c ends.
func closedByPeer(c net.Conn, limit time.Duration) error {
	if err := c.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, c)
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, yamux.ErrTimeout) {
		return fmt.Errorf("not closed by the plugin within %v", limit)
	}
	return nil
}

// process is a plugin that was started without go-plugin.
type process struct {
	cmd    *exec.Cmd
	stderr *buffer
	line   string   // the first line of its stdout
	fields []string // the same, split
	exited chan struct{}
}

// hostEnv is what a host hands to its plugins.
var hostEnv = []string{
	"BASIC_PLUGIN=hello", "PLUGIN_MIN_PORT=10000", "PLUGIN_MAX_PORT=25000", "PLUGIN_PROTOCOL_VERSIONS=1",
}

// launch starts the plugin with exactly this environment beside the host's own,
// and waits for its first line or its end.
func (h *harness) launch(env ...string) (*process, error) {
	p := &process{cmd: h.newCommand(append(cleanEnv(), env...)...), stderr: &buffer{}, exited: make(chan struct{})}
	p.cmd.Stderr = io.MultiWriter(p.stderr, &h.stderr)
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stdout = w
	err = p.cmd.Start()
	_ = w.Close()
	if err != nil {
		return nil, err
	}
	h.track(p.cmd)
	go func() { _ = p.cmd.Wait(); close(p.exited) }()

	first := make(chan string, 1)
	go func() {
		reader := bufio.NewReader(r)
		line, _ := reader.ReadString('\n')
		first <- line
		_, _ = io.Copy(io.Discard, reader)
		_ = r.Close()
	}()
	select {
	case p.line = <-first:
		p.fields = strings.Split(strings.TrimSuffix(p.line, "\n"), "|")
		return p, nil
	case <-time.After(20 * time.Second):
		return nil, errors.New("no line and no end of stdout within 20 s")
	}
}

// cleanEnv is the own environment without what hosts set.
func cleanEnv() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "PLUGIN_") && !strings.HasPrefix(v, "BASIC_PLUGIN=") {
			env = append(env, v)
		}
	}
	return env
}

func (p *process) waitExit(limit time.Duration) (*os.ProcessState, error) {
	select {
	case <-p.exited:
		return p.cmd.ProcessState, nil
	case <-time.After(limit):
		return nil, fmt.Errorf("the process is still there after %v", limit)
	}
}

func (p *process) addr() (net.Addr, error) {
	if len(p.fields) < 4 {
		return nil, fmt.Errorf("no handshake line: %q", p.line)
	}
	return resolve(p.fields[2], p.fields[3])
}

func resolve(network, address string) (net.Addr, error) {
	if network == "unix" {
		return net.ResolveUnixAddr(network, address)
	}
	return net.ResolveTCPAddr(network, address)
}

// greet connects, dispenses "greeter", if the plugin has it, or else asks for a
// plugin that nobody has: both prove that the plugin lives.
func greet(p *plugin.RPCClient) error {
	return bounded(10*time.Second, "greet", func() error {
		raw, err := p.Dispense("greeter")
		if err != nil {
			if err.Error() == "unknown plugin type: greeter" {
				return nil
			}
			return err
		}
		c := raw.(*conn)
		defer func() { _ = c.Close() }()
		var reply string
		if err := c.Call("Plugin.Greet", new(any), &reply); err != nil {
			return err
		}
		if reply != "Hello!" {
			return fmt.Errorf("the greeting is %q", reply)
		}
		return nil
	})
}

func (p *peer) greet() error { return greet(p.rpc.(*plugin.RPCClient)) }

// quitAndWait ends a launched plugin over a connection of its own.
func (p *process) quitAndWait() error {
	addr, err := p.addr()
	if err != nil {
		return err
	}
	r, err := dialRaw(addr)
	if err != nil {
		return err
	}
	defer func() { _ = r.session.Close() }()
	if err := r.quit(); err != nil && !answerLost(err) {
		return fmt.Errorf("quit: %w", err)
	}
	state, err := p.waitExit(patience)
	if err != nil {
		return err
	}
	if !state.Success() {
		return fmt.Errorf("no clean end: %v", state)
	}
	return socketGone(addr)
}
