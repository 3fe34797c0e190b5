package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/endself"
	"example.com/goplug/fixtures/shared/handshake"
	"example.com/goplug/fixtures/shared/kv"
)

func init() {
	add("all", "any", "kill-graceful", "Kill ends the plugin by Quit: exit code 0 within 2 s, socket file removed; a second Kill is nothing",
		func(h *harness) error {
			p, err := h.start(nil)
			if err != nil {
				return err
			}
			if err := p.greet(); err != nil {
				return err
			}
			if err := p.quit(); err != nil {
				return err
			}
			p.client.Kill()
			return nil
		})
	add("all", "any", "kill-at-once", "Kill right after the start", func(h *harness) error {
		p, err := h.start(nil)
		if err != nil {
			return err
		}
		return p.quit()
	})
	add("all", "kv", "kill-in-call", "Kill while a handler never settles is graceful all the same", func(h *harness) error {
		p, c, err := h.dispense("kv")
		if err != nil {
			return err
		}
		var nothing any
		hung := c.Go("Plugin.Hang", new(any), &nothing, nil)
		store := &kv.Client{RPC: c.Client}
		if err := store.Put("beside", []byte("yes")); err != nil {
			return err
		}
		if v, err := store.Get("beside"); err != nil || string(v) != "yes" {
			return fmt.Errorf("beside the hung call: %q, %v", v, err)
		}
		if err := p.quit(); err != nil {
			return err
		}
		return bounded(patience, "the hung call", func() error {
			if <-hung.Done; hung.Error == nil {
				return errors.New("the hung call has an answer")
			}
			return nil
		})
	})
	add("all", "kv", "kill-blocked", "Kill of a plugin that is deaf for 5 s (blocked event loop): gone all the same", func(h *harness) error {
		p, c, err := h.dispense("kv")
		if err != nil {
			return err
		}
		var ms int
		blocked := c.Go("Plugin.Block", 5000, &ms, nil)
		time.Sleep(300 * time.Millisecond)
		select {
		case <-blocked.Done:
			return fmt.Errorf("Block(5000) answers at once: %v", blocked.Error)
		default:
		}
		if err := bounded(2*patience, "Kill", func() error { p.client.Kill(); return nil }); err != nil {
			return err
		}
		if p.cmd.ProcessState == nil {
			return errors.New("the process is still there")
		}
		if p.cmd.ProcessState.Success() {
			return socketGone(p.addr())
		}
		return nil
	})
	add("go", "kv", "kill-ignored-quit", "a plugin that ignores Quit is killed", func(h *harness) error {
		p, err := h.start(nil, "GOPLUG_FIXTURE=ignore-quit")
		if err != nil {
			return err
		}
		if err := bounded(2*patience, "Kill", func() error { p.client.Kill(); return nil }); err != nil {
			return err
		}
		if !wasKilled(p.cmd.ProcessState) {
			return fmt.Errorf("the end is %v", p.cmd.ProcessState)
		}
		return nil
	})
	add("all", "any", "quit-twice", "a second Quit on the same control stream does no harm", func(h *harness) error {
		p, err := h.launch(hostEnv...)
		if err != nil {
			return err
		}
		addr, err := p.addr()
		if err != nil {
			return err
		}
		r, err := dialRaw(addr)
		if err != nil {
			return err
		}
		if err := r.quit(); err != nil && !answerLost(err) {
			return fmt.Errorf("the first Quit: %w", err)
		}
		// The second has an answer, or the plugin is gone by then; it must not hang.
		if err := r.quit(); err != nil && strings.Contains(err.Error(), "no answer within") {
			return err
		}
		state, err := p.waitExit(patience)
		if err != nil {
			return err
		}
		if !state.Success() {
			return fmt.Errorf("no clean end: %v", state)
		}
		return socketGone(addr)
	})
	for _, end := range []struct{ name, method, about string }{
		{"exit-in-call", "Plugin.Exit", "a plugin that exits with code 7 in mid-call: the call fails"},
		{"crash-in-call", "Plugin.Crash", "a plugin that crashes in mid-call: the call fails, the end is not clean, and the host logs why as an error"},
		{"killed-in-call", "Plugin.KillSelf", "a plugin that dies of SIGKILL in mid-call: the call fails"},
	} {
		add("all", "kv", end.name, end.about, func(h *harness) error { return diesInCall(h, end.method) })
	}
	add("all", "kv", "conn-sequence", "10 connections one after another on one plugin", func(h *harness) error {
		return withKV(h, func(p *peer, store *kv.Client) error {
			if err := store.Put("n", []byte("kept")); err != nil {
				return err
			}
			for i := range 10 {
				if err := oneConnection(p.addr(), "kept"); err != nil {
					return fmt.Errorf("connection %d: %w", i+1, err)
				}
			}
			v, err := store.Get("n")
			if err != nil || string(v) != "kept" {
				return fmt.Errorf("the first connection afterwards: %q, %v", v, err)
			}
			return nil
		})
	})
	add("all", "kv", "conn-parallel", "8 reattached hosts at once on one plugin, 200 calls each, one store", func(h *harness) error {
		return withKV(h, func(p *peer, store *kv.Client) error {
			err := atOnce(8, func(i int) error {
				c, err := reattached(p, true)
				if err != nil {
					return err
				}
				key, value := fmt.Sprint("of ", i), fmt.Sprint("value ", i)
				for range 100 {
					if err := c.Put(key, []byte(value)); err != nil {
						return err
					}
					if v, err := c.Get(key); err != nil || string(v) != value {
						return fmt.Errorf("%q, %v", v, err)
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			for i := range 8 {
				if v, err := store.Get(fmt.Sprint("of ", i)); err != nil || string(v) != fmt.Sprint("value ", i) {
					return fmt.Errorf("the first connection sees %q, %v", v, err)
				}
			}
			return nil
		})
	})
	add("all", "kv", "reattach-kill", "a reattached host's Kill ends the plugin", func(h *harness) error {
		p, err := h.start(nil)
		if err != nil {
			return err
		}
		addr := p.addr()
		second := plugin.NewClient(reattachConfig(p, false))
		if _, err := second.Client(); err != nil {
			return err
		}
		second.Kill()
		state, err := p.waitExit(patience)
		if err != nil {
			return err
		}
		if !state.Success() {
			return fmt.Errorf("no clean end: %v", state)
		}
		return socketGone(addr)
	})
	add("all", "any", "sigint-ignored", "three SIGINT do nothing to the plugin", func(h *harness) error {
		p, err := h.start(nil)
		if err != nil {
			return err
		}
		// Go's plugins print their line first and then ignore SIGINT: an answer tells that they do.
		if err := p.greet(); err != nil {
			return err
		}
		for range 3 {
			if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
				return err
			}
			time.Sleep(50 * time.Millisecond)
		}
		if err := p.greet(); err != nil {
			return err
		}
		return p.quit()
	})
	add("ts", "any", "sigterm", "SIGTERM is a clean stop: the plugin ends and removes its socket file", func(h *harness) error {
		p, err := h.start(nil)
		if err != nil {
			return err
		}
		if err := p.greet(); err != nil {
			return err
		}
		addr := p.addr()
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			return err
		}
		state, err := p.waitExit(patience)
		if err != nil {
			return err
		}
		if !state.Success() {
			return fmt.Errorf("no clean end: %v", state)
		}
		return socketGone(addr)
	})
	add("ts", "kv", "host-vanishes", "a host dies by SIGKILL in mid-call: the plugin ends by itself within 25 s and removes its socket file", hostVanishes).
		within(60 * time.Second)
	add("ts", "kv", "vanish", "dies by SIGKILL in mid-call, after a line {\"pid\":N,\"socket\":PATH}; the caller checks that the plugin ends", vanish)
}

func diesInCall(h *harness, method string) error {
	p, c, err := h.dispense("kv")
	if err != nil {
		return err
	}
	args := map[string]any{"Plugin.Exit": 7, "Plugin.Crash": "boom", "Plugin.KillSelf": new(any)}[method]
	beside := make(chan error, 1)
	go func() {
		var nothing any
		beside <- c.Call("Plugin.Hang", new(any), &nothing)
	}()
	var nothing any
	if err := bounded(10*time.Second, method, func() error {
		if err := c.Call(method, args, &nothing); err == nil {
			return errors.New("the call succeeded")
		}
		return nil
	}); err != nil {
		return err
	}
	if err := bounded(patience, "the call beside it", func() error {
		if err := <-beside; err == nil {
			return errors.New("the call beside it succeeded")
		}
		return nil
	}); err != nil {
		return err
	}
	state, err := p.waitExit(patience)
	if err != nil {
		return err
	}
	switch {
	case method == "Plugin.Exit" && state.ExitCode() != 7,
		method == "Plugin.KillSelf" && !wasKilled(state),
		state.Success():
		return fmt.Errorf("the end is %v", state)
	}
	if method == "Plugin.Crash" {
		return until(5*time.Second, "the reason is not among the logged errors", func() bool { return loggedPanic(p.logs, "boom") })
	}
	return nil
}

func loggedPanic(logs *buffer, reason string) bool {
	for _, text := range bytes.Split(logs.Bytes(), []byte{'\n'}) {
		var line logLine
		if json.Unmarshal(text, &line) == nil && line.Level == "error" &&
			strings.HasPrefix(line.Message, "panic: ") && strings.Contains(line.Message, reason) {
			return true
		}
	}
	return false
}

// oneConnection uses the plugin over a connection of its own and hangs up.
func oneConnection(addr net.Addr, want string) error {
	c, err := dialPlain(addr)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	client, err := plugin.NewRPCClient(c, pluginSet)
	if err != nil {
		return err
	}
	return bounded(10*time.Second, "connection", func() error {
		raw, err := client.Dispense("kv")
		if err != nil {
			return err
		}
		store := &kv.Client{RPC: raw.(*conn).Client}
		if v, err := store.Get("n"); err != nil || string(v) != want {
			return fmt.Errorf("%q, %v", v, err)
		}
		return client.Ping()
	})
}

// reattachConfig is for a second host; in test mode its Kill leaves the plugin alone.
func reattachConfig(p *peer, test bool) *plugin.ClientConfig {
	reattach := *p.client.ReattachConfig()
	reattach.Test = test
	reattach.ProtocolVersion = int(handshake.Config.ProtocolVersion)
	return &plugin.ClientConfig{
		HandshakeConfig: handshake.Config,
		Plugins:         pluginSet,
		Reattach:        &reattach,
		Logger:          hclog.NewNullLogger(),
	}
}

func reattached(p *peer, test bool) (*kv.Client, error) {
	client, err := plugin.NewClient(reattachConfig(p, test)).Client()
	if err != nil {
		return nil, err
	}
	raw, err := client.Dispense("kv")
	if err != nil {
		return nil, err
	}
	return &kv.Client{RPC: raw.(*conn).Client}, nil
}

type vanished struct {
	Pid    int    `json:"pid"`
	Socket string `json:"socket"`
}

func vanish(h *harness) error {
	p, c, err := h.dispense("kv")
	if err != nil {
		return err
	}
	var nothing any
	c.Go("Plugin.Hang", new(any), &nothing, nil)
	if err := p.rpc.Ping(); err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(vanished{p.cmd.Process.Pid, p.addr().String()}); err != nil {
		return err
	}
	return errors.Join(endself.Kill(), errors.New("survived SIGKILL"))
}

func hostVanishes(h *harness) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	host := exec.Command(self, append([]string{"-case", "vanish", "--"}, h.command...)...)
	host.Stderr = &h.stderr
	// Not Output: it would wait for the plugin, which inherits nothing of stdout but may hold stderr.
	stdout, err := host.StdoutPipe()
	if err != nil {
		return err
	}
	if err := host.Start(); err != nil {
		return err
	}
	var v vanished
	if err := json.NewDecoder(stdout).Decode(&v); err != nil {
		return fmt.Errorf("the host that is to vanish: %w", err)
	}
	h.mu.Lock()
	h.groups = append(h.groups, v.Pid)
	h.mu.Unlock()
	_ = host.Process.Release()
	if err := until(25*time.Second, "the plugin is still there", func() bool { return !groupAlive(v.Pid) }); err != nil {
		return err
	}
	if strings.HasPrefix(v.Socket, "/") {
		return socketGone(&net.UnixAddr{Net: "unix", Name: v.Socket})
	}
	return nil
}
