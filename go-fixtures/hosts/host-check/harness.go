package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/handshake"
)

// harness starts plugins for one case and knows what must be gone at its end.
type harness struct {
	command []string
	mu      sync.Mutex
	groups  []int
	clients []*plugin.Client
	stderr  buffer
}

func newHarness(command []string) *harness { return &harness{command: command} }

// buffer is a bytes.Buffer that may be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// Len is the number of bytes so far.
func (b *buffer) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Len()
}

// Bytes is a copy of what has been written so far.
func (b *buffer) Bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.b.Bytes())
}

func (b *buffer) String() string { return string(b.Bytes()) }

// peer is one running plugin, started by go-plugin.
type peer struct {
	h              *harness
	cmd            *exec.Cmd
	client         *plugin.Client
	rpc            plugin.ClientProtocol
	stdout, stderr *buffer // the synced streams
	raw            *buffer // the process's real stderr
	logs           *buffer // what the host's logger made of it, JSON lines
}

// conn is what Dispense gives here, for every service.
type conn struct {
	*rpc.Client
	broker *plugin.MuxBroker
}

// anyPlugin has no service of its own: cases call the wire methods by name.
type anyPlugin struct{}

func (anyPlugin) Server(*plugin.MuxBroker) (any, error) {
	return nil, errors.New("a host serves nothing")
}

func (anyPlugin) Client(b *plugin.MuxBroker, c *rpc.Client) (any, error) { return &conn{c, b}, nil }

var pluginSet = plugin.PluginSet{
	"greeter": anyPlugin{}, "kv": anyPlugin{}, "counter": anyPlugin{}, "stdio": anyPlugin{},
	"stream": anyPlugin{}, "errors": anyPlugin{}, "broken": anyPlugin{}, "nope": anyPlugin{},
}

// command makes the plugin's command, in a process group of its own, with
// further environment variables.
func (h *harness) newCommand(env ...string) *exec.Cmd {
	cmd := exec.Command(h.command[0], h.command[1:]...)
	cmd.Env = env
	setGroup(cmd)
	return cmd
}

func (h *harness) track(cmd *exec.Cmd) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.groups = append(h.groups, cmd.Process.Pid)
}

// start starts the plugin by go-plugin; edit, if not nil, may change the configuration.
func (h *harness) start(edit func(*plugin.ClientConfig), env ...string) (*peer, error) {
	p := &peer{h: h, stdout: &buffer{}, stderr: &buffer{}, raw: &buffer{}, logs: &buffer{}}
	p.cmd = h.newCommand(env...)
	config := &plugin.ClientConfig{
		HandshakeConfig: handshake.Config,
		Plugins:         pluginSet,
		Cmd:             p.cmd,
		SyncStdout:      p.stdout,
		SyncStderr:      p.stderr,
		Stderr:          io.MultiWriter(p.raw, &h.stderr),
		StartTimeout:    20 * time.Second,
		Logger: hclog.New(&hclog.LoggerOptions{
			Name: "host", Level: hclog.Trace, Output: p.logs, JSONFormat: true,
		}),
	}
	if edit != nil {
		edit(config)
	}
	p.client = plugin.NewClient(config)
	_, err := p.client.Start()
	if p.cmd.Process != nil {
		h.track(p.cmd)
	}
	h.mu.Lock()
	h.clients = append(h.clients, p.client)
	h.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	if p.rpc, err = p.client.Client(); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return p, nil
}

// dispense starts the plugin and dispenses one service.
func (h *harness) dispense(name string, env ...string) (*peer, *conn, error) {
	p, err := h.start(nil, env...)
	if err != nil {
		return nil, nil, err
	}
	c, err := p.dispense(name)
	return p, c, err
}

func (p *peer) dispense(name string) (*conn, error) {
	raw, err := p.rpc.Dispense(name)
	if err != nil {
		return nil, fmt.Errorf("dispense %s: %w", name, err)
	}
	return raw.(*conn), nil
}

func (p *peer) addr() net.Addr { return p.client.ReattachConfig().Addr }

// waitExit waits until go-plugin has seen the process end.
func (p *peer) waitExit(limit time.Duration) (*os.ProcessState, error) {
	if err := until(limit, "the plugin's process is still there", p.client.Exited); err != nil {
		return nil, err
	}
	return p.cmd.ProcessState, nil
}

// quit ends the plugin as every host should, and checks that it went by itself:
// exit code 0, in the 2 s that go-plugin waits, with its socket file removed.
func (p *peer) quit() error {
	socket := p.addr()
	start := time.Now()
	p.client.Kill()
	took := time.Since(start)
	state := p.cmd.ProcessState
	if state == nil {
		return errors.New("after Kill the process has no exit state")
	}
	if bare {
		return nil
	}
	if !state.Success() {
		return fmt.Errorf("no clean end after %v: %v", took, state)
	}
	return socketGone(socket)
}

func socketGone(addr net.Addr) error {
	if addr.Network() != "unix" {
		return nil
	}
	return until(patience, "the socket file is still there: "+addr.String(), func() bool {
		_, err := os.Lstat(addr.String())
		return errors.Is(err, os.ErrNotExist)
	})
}

// patience is more than what has to happen takes, on a busy machine, too.
const patience = 10 * time.Second

// until polls done.
func until(limit time.Duration, otherwise string, done func() bool) error {
	for deadline := time.Now().Add(limit); ; time.Sleep(10 * time.Millisecond) {
		if done() {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s, after %v", otherwise, limit)
		}
	}
}

// bounded runs f, and fails if it does not come back in time.
func bounded(limit time.Duration, what string, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(limit):
		return fmt.Errorf("%s: no answer within %v", what, limit)
	}
}

// end kills what the case left running; if the case was to end everything
// itself, a process left is a failure.
func (h *harness) end(strict bool) error {
	var left error
	if strict {
		left = until(patience, "a process of the plugin's group is left", func() bool {
			for _, group := range h.tracked() {
				if groupAlive(group) {
					return false
				}
			}
			return true
		})
	}
	h.killAll()
	h.mu.Lock()
	clients := h.clients
	h.mu.Unlock()
	for _, c := range clients {
		_ = bounded(2*patience, "Kill", func() error { c.Kill(); return nil })
	}
	return left
}

func (h *harness) tracked() []int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]int(nil), h.groups...)
}

func (h *harness) killAll() {
	for _, group := range h.tracked() {
		killGroup(group)
	}
}

func (h *harness) dump(w io.Writer) {
	if text := h.stderr.Bytes(); len(text) > 0 {
		if len(text) > 8192 {
			text = append([]byte("[...]\n"), text[len(text)-8192:]...)
		}
		_, _ = fmt.Fprintf(w, "--- the plugin's stderr\n%s---\n", text)
	}
}
