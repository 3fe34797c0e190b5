package main

import (
	"bytes"
	"fmt"
	"io"
	"net/rpc"
	"sync"
	"time"

	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/pattern"
	"example.com/goplug/fixtures/shared/stdio"
)

const stdioSize = 1 << 20

func init() {
	add("all", "stdio", "stdio-stdout", "1 MiB on stdout, synced byte for byte", func(h *harness) error {
		return withStdio(h, func(p *peer, c *rpc.Client) error {
			if err := writes(c, "Plugin.WriteStdout", stdioSize); err != nil {
				return err
			}
			if err := synced(p.stdout, stdioSize); err != nil {
				return err
			}
			return nothingOn(p.stderr)
		})
	})
	add("all", "stdio", "stdio-stderr", "1 MiB on stderr, synced byte for byte", func(h *harness) error {
		return withStdio(h, func(p *peer, c *rpc.Client) error {
			if err := writes(c, "Plugin.WriteStderr", stdioSize); err != nil {
				return err
			}
			if err := synced(p.stderr, stdioSize); err != nil {
				return err
			}
			return nothingOn(p.stdout)
		})
	})
	add("all", "stdio", "stdio-both", "1 MiB on each at once", func(h *harness) error {
		return withStdio(h, func(p *peer, c *rpc.Client) error {
			err := atOnce(2, func(i int) error {
				return writes(c, []string{"Plugin.WriteStdout", "Plugin.WriteStderr"}[i], stdioSize)
			})
			if err != nil {
				return err
			}
			if err := synced(p.stdout, stdioSize); err != nil {
				return err
			}
			return synced(p.stderr, stdioSize)
		})
	})
	add("all", "stdio", "stdio-order", "20,000 lines on each in turn: the order in each stream is kept", func(h *harness) error {
		return withStdio(h, func(p *peer, c *rpc.Client) error {
			const n = 20000
			if err := writes(c, "Plugin.WriteLines", n); err != nil {
				return err
			}
			var out, err bytes.Buffer
			for i := range n {
				fmt.Fprintf(&out, "out %d\n", i)
				fmt.Fprintf(&err, "err %d\n", i)
			}
			if e := same(p.stdout, out.Bytes()); e != nil {
				return fmt.Errorf("stdout: %w", e)
			}
			if e := same(p.stderr, err.Bytes()); e != nil {
				return fmt.Errorf("stderr: %w", e)
			}
			return nil
		})
	})
	add("all", "stdio", "stdio-text", "text and bytes that are no text come as they are", func(h *harness) error {
		return withStdio(h, func(p *peer, c *rpc.Client) error {
			text := "no newline, \x00, äöü 日本語 \xff\xfe\r\n\n end"
			var n int
			if err := c.Call("Plugin.Print", text, &n); err != nil {
				return err
			}
			if err := c.Call("Plugin.PrintErr", "2:"+text, &n); err != nil {
				return err
			}
			if err := same(p.stdout, []byte(text)); err != nil {
				return err
			}
			return same(p.stderr, []byte("2:"+text))
		})
	})
	add("all", "stdio", "stdio-slow-host", "a host that reads slowly loses nothing", func(h *harness) error {
		slow := &slowWriter{}
		p, err := h.start(func(c *plugin.ClientConfig) { c.SyncStdout = slow })
		if err != nil {
			return err
		}
		c, err := p.dispense(stdio.Name)
		if err != nil {
			return err
		}
		if err := writes(c.Client, "Plugin.WriteStdout", stdioSize); err != nil {
			return err
		}
		if err := synced(&slow.buffer, stdioSize); err != nil {
			return err
		}
		return p.quit()
	})
	add("ts", "stdio", "stdio-at-exit", "Kill right after 1 MiB on each: nothing of it is lost", func(h *harness) error {
		p, c, err := h.dispense(stdio.Name)
		if err != nil {
			return err
		}
		for _, method := range []string{"Plugin.WriteStdout", "Plugin.WriteStderr"} {
			if err := writes(c.Client, method, stdioSize); err != nil {
				return err
			}
		}
		if err := p.quit(); err != nil {
			return err
		}
		if err := synced(p.stdout, stdioSize); err != nil {
			return fmt.Errorf("stdout: %w", err)
		}
		return synced(p.stderr, stdioSize)
	})
	add("ts", "any", "stdio-early",
		"with GOPLUG_FIXTURE=early the plugin prints \"early stdout\\n\" and \"early stderr\\n\" before serve: held back, then synced",
		func(h *harness) error {
			p, err := h.start(nil, "GOPLUG_FIXTURE=early")
			if err != nil {
				return err
			}
			if err := same(p.stdout, []byte("early stdout\n")); err != nil {
				return fmt.Errorf("stdout: %w", err)
			}
			// Early stderr may go to the real stderr as well as to the synced one.
			err = until(patience, "\"early stderr\" came on neither stderr", func() bool {
				early := []byte("early stderr\n")
				return bytes.Contains(p.stderr.Bytes(), early) || bytes.Contains(p.raw.Bytes(), early)
			})
			if err != nil {
				return err
			}
			return p.quit()
		})
}

// slowWriter takes 20 ms for each write, however small.
type slowWriter struct {
	buffer buffer
	mu     sync.Mutex
}

var _ io.Writer = (*slowWriter)(nil)

func (s *slowWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	time.Sleep(20 * time.Millisecond)
	return s.buffer.Write(p)
}

func withStdio(h *harness, f func(*peer, *rpc.Client) error) error {
	p, c, err := h.dispense(stdio.Name)
	if err != nil {
		return err
	}
	if err := f(p, c.Client); err != nil {
		return err
	}
	return p.quit()
}

func writes(c *rpc.Client, method string, n int) error {
	var reply int
	if err := c.Call(method, n, &reply); err != nil {
		return err
	}
	if reply != n {
		return fmt.Errorf("%s answers %d instead of %d", method, reply, n)
	}
	return nil
}

// synced waits until the buffer holds n bytes and checks that they are the pattern.
func synced(b *buffer, n int) error {
	_ = until(10*time.Second, "", func() bool { return b.Len() >= n })
	return pattern.Check(b.Bytes(), n)
}

func same(b *buffer, want []byte) error {
	_ = until(10*time.Second, "", func() bool { return b.Len() >= len(want) })
	got := b.Bytes()
	if bytes.Equal(got, want) {
		return nil
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	return fmt.Errorf("%d bytes instead of %d, different from byte %d on: %q instead of %q",
		len(got), len(want), at, got[at:min(len(got), at+40)], want[at:min(len(want), at+40)])
}

func nothingOn(b *buffer) error {
	if b.Len() > 0 {
		return fmt.Errorf("%d bytes on the other stream", b.Len())
	}
	return nil
}
