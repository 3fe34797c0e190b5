package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/kv"
	"example.com/goplug/fixtures/shared/pattern"
)

func init() {
	add("all", "greeter", "greeter", "Greet(nil interface) answers Hello!", func(h *harness) error {
		p, c, err := h.dispense("greeter")
		if err != nil {
			return err
		}
		var reply string
		if err := c.Call("Plugin.Greet", new(any), &reply); err != nil {
			return err
		}
		if reply != "Hello!" {
			return fmt.Errorf("the greeting is %q", reply)
		}
		return p.quit()
	})
	for _, size := range []struct {
		name  string
		bytes int
	}{{"empty", 0}, {"64B", 64}, {"1MiB", 1 << 20}, {"64MiB", 64 << 20}} {
		add("all", "kv", "kv-"+size.name, fmt.Sprintf("Put and Get of a value of %d bytes", size.bytes), func(h *harness) error {
			return withKV(h, func(_ *peer, store *kv.Client) error {
				if err := store.Put("key", pattern.Bytes(size.bytes)); err != nil {
					return err
				}
				v, err := store.Get("key")
				if err != nil {
					return err
				}
				return pattern.Check(v, size.bytes)
			})
		}).within(60 * time.Second)
	}
	add("all", "kv", "kv-missing-key", "Get of a missing key fails with `key not found: NAME`, and the connection lives",
		func(h *harness) error {
			return withKV(h, func(_ *peer, store *kv.Client) error {
				for _, name := range []string{"nowhere", "", "Schlüssel\n"} {
					_, err := store.Get(name)
					if err == nil || err.Error() != "key not found: "+name {
						return fmt.Errorf("the error is %q", fmt.Sprint(err))
					}
				}
				return store.Put("nowhere", []byte("now"))
			})
		})
	add("all", "kv", "kv-overwrite", "a second Put replaces the first; keys do not mix", func(h *harness) error {
		return withKV(h, func(_ *peer, store *kv.Client) error {
			for _, step := range []struct{ key, value string }{{"a", "1"}, {"b", "2"}, {"a", "3"}} {
				if err := store.Put(step.key, []byte(step.value)); err != nil {
					return err
				}
			}
			for key, want := range map[string]string{"a": "3", "b": "2"} {
				if v, err := store.Get(key); err != nil || string(v) != want {
					return fmt.Errorf("%s is %q, %v", key, v, err)
				}
			}
			return nil
		})
	})
	add("all", "kv", "kv-echo64k", "Echo of 64 KiB, 200 times", func(h *harness) error {
		return withKV(h, func(_ *peer, store *kv.Client) error {
			payload := pattern.Bytes(1 << 16)
			for range 200 {
				back, err := store.Echo(payload)
				if err != nil {
					return err
				}
				if !bytes.Equal(back, payload) {
					return errors.New("the echo differs")
				}
			}
			return nil
		})
	})
	add("all", "kv", "kv-surroundings", "the plugin's own process id, environment and output, as kv's methods give them", surroundings)
	add("all", "kv", "kv-inflight64", "10,000 calls with 64 in flight, each with its own right answer", inflight).
		within(60 * time.Second)
	add("all", "kv", "kv-out-of-order", "a slow call does not hold up those behind it", func(h *harness) error {
		return withKV(h, func(_ *peer, store *kv.Client) error {
			var slow, fast int
			first := store.RPC.Go("Plugin.Sleep", 1000, &slow, nil)
			second := store.RPC.Go("Plugin.Sleep", 1, &fast, nil)
			select {
			case <-first.Done:
				return errors.New("the slow call came first")
			case <-second.Done:
			}
			<-first.Done
			if first.Error != nil || second.Error != nil || slow != 1000 || fast != 1 {
				return fmt.Errorf("answers %d and %d, %v, %v", slow, fast, first.Error, second.Error)
			}
			return nil
		})
	})
	add("all", "any", "ping", "100 pings", func(h *harness) error {
		p, err := h.start(nil)
		if err != nil {
			return err
		}
		for range 100 {
			if err := p.rpc.Ping(); err != nil {
				return err
			}
		}
		return p.quit()
	})
	for _, n := range []int{100, 10000} {
		add("all", "greeter", fmt.Sprintf("dispense-%d", n), fmt.Sprintf("dispenses, calls and closes %d times", n),
			func(h *harness) error {
				p, err := h.start(nil)
				if err != nil {
					return err
				}
				for i := range n {
					if err := p.greet(); err != nil {
						return fmt.Errorf("time %d: %w", i+1, err)
					}
				}
				return p.quit()
			}).within(120 * time.Second)
	}
	add("all", "greeter", "dispense-100-open", "100 dispensed at once, all of them used", func(h *harness) error {
		p, err := h.start(nil)
		if err != nil {
			return err
		}
		var open []*conn
		for range 100 {
			c, err := p.dispense("greeter")
			if err != nil {
				return err
			}
			open = append(open, c)
		}
		for _, c := range open {
			var reply string
			if err := c.Call("Plugin.Greet", new(any), &reply); err != nil || reply != "Hello!" {
				return fmt.Errorf("%q, %v", reply, err)
			}
		}
		// With a hundred streams open, go-plugin's Kill takes up to 20 s, whatever the plugin is written in.
		for _, c := range open {
			if err := c.Close(); err != nil {
				return err
			}
		}
		return p.quit()
	})
	add("all", "kv", "dispense-shared", "two dispensed at once see one store", func(h *harness) error {
		p, c1, err := h.dispense("kv")
		if err != nil {
			return err
		}
		c2, err := p.dispense("kv")
		if err != nil {
			return err
		}
		if err := (&kv.Client{RPC: c1.Client}).Put("shared", []byte("yes")); err != nil {
			return err
		}
		if v, err := (&kv.Client{RPC: c2.Client}).Get("shared"); err != nil || string(v) != "yes" {
			return fmt.Errorf("%q, %v", v, err)
		}
		return p.quit()
	})
	add("all", "kv", "logs", "the plugin's log lines come out at their level, with name and pairs", logs)
	add("all", "any", "bare-env", "runs with no environment but the host's variables", func(h *harness) error {
		p, err := h.start(func(c *plugin.ClientConfig) { c.SkipHostEnv = true })
		if err != nil {
			return err
		}
		if err := p.greet(); err != nil {
			return err
		}
		return p.quit()
	})
	add("all", "any", "automtls", "AutoMTLS over net/rpc", func(h *harness) error {
		p, err := h.start(func(c *plugin.ClientConfig) { c.AutoMTLS = true })
		if err != nil {
			return err
		}
		if err := p.greet(); err != nil {
			return err
		}
		return p.quit()
	})
	add("all", "any", "managed", "CleanupClients ends a managed plugin", func(h *harness) error {
		p, err := h.start(func(c *plugin.ClientConfig) { c.Managed = true })
		if err != nil {
			return err
		}
		socket := p.addr()
		plugin.CleanupClients()
		if state := p.cmd.ProcessState; state == nil || !state.Success() {
			return fmt.Errorf("no clean end: %v", state)
		}
		return socketGone(socket)
	})
}

// withKV dispenses "kv", runs f, and ends the plugin gracefully.
func withKV(h *harness, f func(*peer, *kv.Client) error) error {
	p, c, err := h.dispense("kv")
	if err != nil {
		return err
	}
	if err := f(p, &kv.Client{RPC: c.Client}); err != nil {
		return err
	}
	return p.quit()
}

func surroundings(h *harness) error {
	p, c, err := h.dispense("kv", "GOPLUG_CHECK_VARIABLE=äöü = 1")
	if err != nil {
		return err
	}
	var pid int
	if err := c.Call("Plugin.Pid", new(any), &pid); err != nil || pid != p.cmd.Process.Pid {
		return fmt.Errorf("pid %d instead of %d, %v", pid, p.cmd.Process.Pid, err)
	}
	for name, want := range map[string]string{
		"GOPLUG_CHECK_VARIABLE": "äöü = 1", "GOPLUG_CHECK_UNSET": "", "BASIC_PLUGIN": "hello", "PLUGIN_PROTOCOL_VERSIONS": "1",
	} {
		var value string
		if err := c.Call("Plugin.Env", name, &value); err != nil || value != want {
			return fmt.Errorf("%s is %q instead of %q, %v", name, value, want, err)
		}
	}
	for _, step := range []struct {
		method string
		args   any
		n      int
	}{
		{"Plugin.Print", "out\n", 4},
		{"Plugin.PrintErr", "err\n", 4},
		{"Plugin.WriteStdout", 100000, 100000},
		{"Plugin.WriteStderr", 100000, 100000},
	} {
		var n int
		if err := c.Call(step.method, step.args, &n); err != nil || n != step.n {
			return fmt.Errorf("%s answers %d, %v", step.method, n, err)
		}
	}
	if err := same(p.stdout, append([]byte("out\n"), pattern.Bytes(100000)...)); err != nil {
		return fmt.Errorf("stdout: %w", err)
	}
	if err := same(p.stderr, append([]byte("err\n"), pattern.Bytes(100000)...)); err != nil {
		return fmt.Errorf("stderr: %w", err)
	}
	return p.quit()
}

func inflight(h *harness) error {
	return withKV(h, func(_ *peer, store *kv.Client) error {
		const calls, workers, keys = 10000, 64, 100
		value := func(k int) []byte { return fmt.Appendf(nil, "value of %d %s", k, strings.Repeat("x", k)) }
		for k := range keys {
			if err := store.Put(fmt.Sprint(k), value(k)); err != nil {
				return err
			}
		}
		var next atomic.Int64
		var wg sync.WaitGroup
		failures := make(chan error, workers)
		for range workers {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for n := next.Add(1); n <= calls; n = next.Add(1) {
					if err := oneOf(store, int(n), value(int(n)%keys), int(n)%keys); err != nil {
						failures <- err
						return
					}
				}
			}()
		}
		wg.Wait()
		close(failures)
		return <-failures
	})
}

// oneOf is a Get mostly, an Echo or a failing Get at times.
func oneOf(store *kv.Client, n int, value []byte, key int) error {
	switch n % 10 {
	case 3:
		payload := fmt.Appendf(nil, "call %d", n)
		back, err := store.Echo(payload)
		if err != nil || !bytes.Equal(back, payload) {
			return fmt.Errorf("call %d: echo %q, %v", n, back, err)
		}
	case 7:
		name := fmt.Sprintf("missing-%d", n)
		_, err := store.Get(name)
		if err == nil || err.Error() != "key not found: "+name {
			return fmt.Errorf("call %d: the error is %v", n, err)
		}
	default:
		v, err := store.Get(fmt.Sprint(key))
		if err != nil || !bytes.Equal(v, value) {
			return fmt.Errorf("call %d: %q, %v", n, v, err)
		}
	}
	return nil
}

func logs(h *harness) error {
	return withKV(h, func(p *peer, store *kv.Client) error {
		message := fmt.Sprintf("log check %d", os.Getpid())
		var n int
		if err := store.RPC.Call("Plugin.LogAll", message, &n); err != nil {
			return err
		}
		if err := store.RPC.Call("Plugin.RawStderr", "[WARN] a raw line\nanother raw line\n", &n); err != nil {
			return err
		}
		want := []logLine{
			{"trace", message, "kv", "LogAll", 0}, {"debug", message, "kv", "LogAll", 1},
			{"info", message, "kv", "LogAll", 2}, {"warn", message, "kv", "LogAll", 3},
			{"error", message, "kv", "LogAll", 4},
			{Level: "warn", Message: "[WARN] a raw line"}, {Level: "debug", Message: "another raw line"},
		}
		if until(patience, "", func() bool { return len(missingLines(p.logs, want)) == 0 }) != nil {
			return fmt.Errorf("missing log lines: %+v", missingLines(p.logs, want))
		}
		return nil
	})
}

// logLine is what the host's logger wrote; Module is empty for raw lines.
type logLine struct {
	Level   string  `json:"@level"`
	Message string  `json:"@message"`
	Module  string  `json:"@module"`
	Method  string  `json:"method"`
	N       float64 `json:"n"`
}

func missingLines(logs *buffer, want []logLine) []logLine {
	seen := map[logLine]bool{}
	for _, text := range bytes.Split(logs.Bytes(), []byte{'\n'}) {
		var line logLine
		if json.Unmarshal(text, &line) == nil {
			if line.Method == "" {
				line.Module = ""
			}
			seen[line] = true
		}
	}
	var missing []logLine
	for _, line := range want {
		if !seen[line] {
			missing = append(missing, line)
		}
	}
	return missing
}
