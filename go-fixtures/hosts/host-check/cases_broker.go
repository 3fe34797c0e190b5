package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"example.com/goplug/fixtures/shared/counter"
	"example.com/goplug/fixtures/shared/pattern"
	"example.com/goplug/fixtures/shared/stream"
)

const streamSize = 8 << 20

func init() {
	add("all", "counter", "counter-callback", "the plugin calls the host's helper through the broker", func(h *harness) error {
		return withCounter(h, func(c *counter.Client) error {
			want := int64(0)
			for i := range int64(20) {
				want += i
				got, err := c.Put("n", i, plainSum)
				if err != nil || got != want {
					return fmt.Errorf("Put %d: %d instead of %d, %v", i, got, want, err)
				}
			}
			if got, err := c.Get("n"); err != nil || got != want {
				return fmt.Errorf("Get: %d instead of %d, %v", got, want, err)
			}
			if got, err := c.Get("unknown"); err != nil || got != 0 {
				return fmt.Errorf("Get of an unknown key: %d, %v", got, err)
			}
			return nil
		})
	})
	add("all", "counter", "counter-plugin-serves", "the host dials a helper that the plugin serves", func(h *harness) error {
		return withCounter(h, func(c *counter.Client) error {
			for range 5 {
				if _, err := callOpen(c); err != nil {
					return err
				}
			}
			return nil
		})
	})
	add("all", "counter", "counter-both-directions", "50 callbacks and 50 calls of the plugin's helpers at once", func(h *harness) error {
		return withCounter(h, func(c *counter.Client) error {
			return atOnce(100, func(i int) error {
				if i%2 == 0 {
					_, err := callOpen(c)
					return err
				}
				key := fmt.Sprint("key ", i)
				got, err := c.Put(key, int64(i), plainSum)
				if err == nil && got != int64(i) {
					err = fmt.Errorf("%s is %d", key, got)
				}
				return err
			})
		})
	})
	add("all", "counter", "counter-nested", "callbacks within callbacks, 10 deep", func(h *harness) error {
		return withCounter(h, func(c *counter.Client) error {
			const depth = 10
			id := c.Broker.NextId()
			go c.Broker.AcceptAndServe(id, c.Helper(plainSum))
			var got, want []string
			for d, who := depth, 0; d >= 0; d, who = d-1, 1-who {
				want = append(want, fmt.Sprintf("%s %d", []string{"plugin", "host"}[who], d))
			}
			if err := c.RPC.Call("Plugin.Nest", counter.NestArgs{Depth: depth, Id: id}, &got); err != nil {
				return err
			}
			if !slices.Equal(got, want) {
				return fmt.Errorf("%q instead of %q", got, want)
			}
			return nil
		})
	})
	add("all", "counter", "counter-colliding-ids", "one number is a brokered id in both directions at once", func(h *harness) error {
		return withCounter(h, func(c *counter.Client) error {
			var id uint32
			if err := c.RPC.Call("Plugin.Open", new(any), &id); err != nil {
				return err
			}
			// The plugin waits on id; now the host waits on the same number, and both are dialled.
			go c.Broker.AcceptAndServe(id, c.Helper(plainSum))
			if got, err := c.PutWith("collide", 7, id); err != nil || got != 7 {
				return fmt.Errorf("the plugin's dial: %d, %v", got, err)
			}
			return sumOn(c, id)
		})
	})
	add("all", "counter", "counter-helper-error", "an error of the host's helper is the error of the plugin's call", func(h *harness) error {
		return withCounter(h, func(c *counter.Client) error {
			_, err := c.Put("n", 1, func(int64, int64) (int64, error) { return 0, errors.New("the helper refuses") })
			if err == nil || err.Error() != "the helper refuses" {
				return fmt.Errorf("the error is %v", err)
			}
			got, err := c.Put("n", 2, plainSum)
			if err != nil || got != 2 {
				return fmt.Errorf("afterwards: %d, %v", got, err)
			}
			return nil
		})
	})
	add("all", "counter", "counter-nobody-accepts", "the plugin's dial of an id that nobody accepts fails; the connection lives",
		func(h *harness) error {
			return withCounter(h, func(c *counter.Client) error {
				err := bounded(25*time.Second, "Put", func() error {
					_, err := c.PutWith("n", 1, 77777)
					return err
				})
				if err == nil {
					return errors.New("Put with an id that nobody accepts succeeded")
				}
				got, err := c.Put("n", 2, plainSum)
				if err != nil || got != 2 {
					return fmt.Errorf("afterwards: %d, %v", got, err)
				}
				return nil
			})
		})
	add("all", "counter", "counter-nobody-dials", "the plugin's accept of an id that nobody dials times out after 5 s", func(h *harness) error {
		return withCounter(h, func(c *counter.Client) error {
			var text string
			start := time.Now()
			if err := c.RPC.Call("Plugin.AcceptNobody", new(any), &text); err != nil {
				return err
			}
			if took := time.Since(start); text != "timeout waiting for accept" || took < 4*time.Second || took > 25*time.Second {
				return fmt.Errorf("%q after %v", text, took)
			}
			_, err := callOpen(c)
			return err
		})
	})
	add("all", "stream", "stream-source", "8 MiB of raw bytes from the plugin, over a stream that the host accepts", func(h *harness) error {
		return withStream(h, func(c *stream.Client) error {
			var n int64
			got, err := accepted(c, func(id uint32) error {
				return c.RPC.Call("Plugin.Source", stream.Args{Id: id, Bytes: streamSize}, &n)
			}, io.ReadAll)
			if err != nil {
				return err
			}
			if n != streamSize {
				return fmt.Errorf("the plugin says that it wrote %d bytes", n)
			}
			return pattern.Check(got, streamSize)
		})
	})
	add("all", "stream", "stream-sink", "8 MiB of raw bytes to the plugin, ended by closing the stream", func(h *harness) error {
		return withStream(h, func(c *stream.Client) error {
			var reply stream.SinkReply
			_, err := accepted(c, func(id uint32) error {
				return c.RPC.Call("Plugin.Sink", stream.Args{Id: id}, &reply)
			}, func(r io.Reader) ([]byte, error) {
				s := r.(net.Conn)
				if _, err := pattern.WriteTo(s, streamSize); err != nil {
					return nil, err
				}
				return nil, s.Close()
			})
			if err != nil {
				return err
			}
			hash := sha256.Sum256(pattern.Bytes(streamSize))
			if want := (stream.SinkReply{Bytes: streamSize, SHA256: hex.EncodeToString(hash[:])}); reply != want {
				return fmt.Errorf("%+v instead of %+v", reply, want)
			}
			return nil
		})
	})
	add("all", "stream", "stream-mirror", "8 MiB there and back over one stream, the host's direction closed before the end", func(h *harness) error {
		return withStream(h, func(c *stream.Client) error {
			var n int64
			got, err := accepted(c, func(id uint32) error {
				return c.RPC.Call("Plugin.Mirror", stream.Args{Id: id}, &n)
			}, mirror)
			if err != nil {
				return err
			}
			if n != streamSize {
				return fmt.Errorf("the plugin says that it mirrored %d bytes", n)
			}
			return pattern.Check(got, streamSize)
		})
	})
	add("all", "stream", "stream-asked", "8 MiB to a plugin that asks for them with varints, as Mattermost's plugins read", func(h *harness) error {
		return withStream(h, func(c *stream.Client) error {
			var reply stream.SinkReply
			_, err := accepted(c, func(id uint32) error {
				return c.RPC.Call("Plugin.ReadAsking", stream.Args{Id: id}, &reply)
			}, func(r io.Reader) ([]byte, error) {
				stream.ServeReader(bytes.NewReader(pattern.Bytes(streamSize)), r.(net.Conn))
				return nil, nil
			})
			if err != nil {
				return err
			}
			hash := sha256.Sum256(pattern.Bytes(streamSize))
			if want := (stream.SinkReply{Bytes: streamSize, SHA256: hex.EncodeToString(hash[:])}); reply != want {
				return fmt.Errorf("%+v instead of %+v", reply, want)
			}
			return nil
		})
	})
	add("all", "stream", "stream-asking", "8 MiB from a plugin that is asked for them with varints", func(h *harness) error {
		return withStream(h, func(c *stream.Client) error {
			var n int64
			got, err := accepted(c, func(id uint32) error {
				return c.RPC.Call("Plugin.ServeAsked", stream.Args{Id: id, Bytes: streamSize}, &n)
			}, func(r io.Reader) ([]byte, error) {
				return io.ReadAll(stream.RemoteReader{Conn: r.(net.Conn)})
			})
			if err != nil {
				return err
			}
			if n != streamSize {
				return fmt.Errorf("the plugin says that %d bytes were taken", n)
			}
			return pattern.Check(got, streamSize)
		})
	})
	add("all", "stream", "stream-offer", "the same over a stream that the host dials", func(h *harness) error {
		return withStream(h, func(c *stream.Client) error { return offered(c) })
	})
	add("all", "stream", "stream-16-at-once", "16 such streams at once", func(h *harness) error {
		return withStream(h, func(c *stream.Client) error {
			return atOnce(16, func(int) error { return offered(c) })
		})
	}).within(60 * time.Second)
}

func plainSum(a, b int64) (int64, error) { return a + b, nil }

func withCounter(h *harness, f func(*counter.Client) error) error {
	p, c, err := h.dispense(counter.Name)
	if err != nil {
		return err
	}
	if err := f(&counter.Client{RPC: c.Client, Broker: c.broker}); err != nil {
		return err
	}
	return p.quit()
}

func withStream(h *harness, f func(*stream.Client) error) error {
	p, c, err := h.dispense(stream.Name)
	if err != nil {
		return err
	}
	if err := f(&stream.Client{RPC: c.Client, Broker: c.broker}); err != nil {
		return err
	}
	return p.quit()
}

// callOpen has the plugin serve a helper and uses it.
func callOpen(c *counter.Client) (id uint32, err error) {
	if err = c.RPC.Call("Plugin.Open", new(any), &id); err != nil {
		return id, err
	}
	return id, sumOn(c, id)
}

func sumOn(c *counter.Client, id uint32) error {
	helper, err := c.Dial(id)
	if err != nil {
		return err
	}
	defer func() { _ = helper.Close() }()
	var got int64
	if err := helper.Call("Plugin.Sum", counter.SumArgs{A: 40, B: 2}, &got); err != nil {
		return err
	}
	if got != 1042 {
		return fmt.Errorf("the plugin's helper answers %d instead of 1042", got)
	}
	return nil
}

// atOnce runs f n times at once and returns the first error.
func atOnce(n int, f func(int) error) error {
	var wg sync.WaitGroup
	failures := make(chan error, n)
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := f(i); err != nil {
				failures <- err
			}
		}()
	}
	wg.Wait()
	close(failures)
	return <-failures
}

// accepted makes the call, with a fresh id that the host accepts and gives to use.
func accepted(c *stream.Client, call func(uint32) error, use func(io.Reader) ([]byte, error)) ([]byte, error) {
	id := c.Broker.NextId()
	called := make(chan error, 1)
	go func() { called <- call(id) }()
	s, err := c.Broker.Accept(id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	got, err := use(s)
	if err != nil {
		return nil, err
	}
	return got, <-called
}

// mirror writes the pattern, closes its direction and reads what comes back to the end.
func mirror(r io.Reader) ([]byte, error) {
	s := r.(net.Conn)
	written := make(chan error, 1)
	go func() {
		_, err := pattern.WriteTo(s, streamSize)
		if err == nil {
			err = s.Close()
		}
		written <- err
	}()
	got, err := io.ReadAll(s)
	if err != nil {
		return nil, err
	}
	return got, <-written
}

func offered(c *stream.Client) error {
	var id uint32
	if err := c.RPC.Call("Plugin.Offer", new(any), &id); err != nil {
		return err
	}
	s, err := c.Broker.Dial(id)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	got, err := mirror(s)
	if err != nil {
		return err
	}
	return pattern.Check(got, streamSize)
}
