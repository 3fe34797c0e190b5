package common

import (
	"bytes"
	"errors"
	"fmt"
	"net/rpc"
	"time"
)

// Every case ends with a graceful kill.
var cases = []struct {
	name, about string
	run         func(*run) error
}{
	{"greeter", "Greet answers Hello!", func(r *run) error {
		c, err := r.dispense("greeter")
		if err != nil {
			return err
		}
		var reply string
		if err := c.Call("Plugin.Greet", new(interface{}), &reply); err != nil || reply != "Hello!" {
			return fmt.Errorf("%q, %v", reply, err)
		}
		return nil
	}},
	{"kv", "Put and Get of 0, 64, 1 MiB and 16 MiB", func(r *run) error {
		return r.kv(func(c *Conn) error {
			for _, n := range []int{0, 64, 1 << 20, 16 << 20} {
				var nothing interface{}
				if err := c.Call("Plugin.Put", map[string]interface{}{"key": "k", "value": Pattern(n)}, &nothing); err != nil {
					return err
				}
				var v []byte
				if err := c.Call("Plugin.Get", "k", &v); err != nil || !bytes.Equal(v, Pattern(n)) {
					return fmt.Errorf("of %d bytes came %d, %v", n, len(v), err)
				}
			}
			return nil
		})
	}},
	{"kv-missing-key", "the error of Get for a missing key", func(r *run) error {
		return r.kv(func(c *Conn) error {
			var v []byte
			return wantError(c.Call("Plugin.Get", "nowhere", &v), "key not found: nowhere")
		})
	}},
	{"kv-inflight64", "2,000 echoes with 64 in flight", func(r *run) error {
		return r.kv(func(c *Conn) error {
			slots, failures := make(chan struct{}, 64), make(chan error, 2000)
			for i := 0; i < 2000; i++ {
				slots <- struct{}{}
				go func(i int) {
					defer func() { <-slots }()
					want := fmt.Appendf(nil, "call %d", i)
					var got []byte
					err := c.Call("Plugin.Echo", want, &got)
					if err == nil && !bytes.Equal(got, want) {
						err = fmt.Errorf("%q instead of %q", got, want)
					}
					failures <- err
				}(i)
			}
			for i := 0; i < 2000; i++ {
				if err := <-failures; err != nil {
					return err
				}
			}
			return nil
		})
	}},
	{"stdio", "1 MiB on stdout and on stderr, byte for byte", func(r *run) error {
		return r.kv(func(c *Conn) error {
			var n int
			for _, stream := range []struct {
				method string
				b      *buffer
			}{{"Plugin.WriteStdout", &r.stdout}, {"Plugin.WriteStderr", &r.stderr}} {
				if err := c.Call(stream.method, 1<<20, &n); err != nil {
					return err
				}
				deadline := time.Now().Add(10 * time.Second)
				for len(stream.b.bytes()) < 1<<20 && time.Now().Before(deadline) {
					time.Sleep(20 * time.Millisecond)
				}
				if got := stream.b.bytes(); !bytes.Equal(got, Pattern(1<<20)) {
					return fmt.Errorf("%s: %d bytes, or other bytes", stream.method, len(got))
				}
			}
			return nil
		})
	}},
	{"unknown-plugin", "the text of the error, and the connection lives", func(r *run) error {
		_, err := r.Dispense("nope")
		if err := wantError(err, "unknown plugin type: nope"); err != nil {
			return err
		}
		_, err = r.dispense("greeter")
		return err
	}},
	{"unknown-method", "the text of the error, and the connection lives", func(r *run) error {
		return r.kv(func(c *Conn) error {
			var v []byte
			if err := wantError(c.Call("Plugin.Nope", "argument", &v), "rpc: can't find method Plugin.Nope"); err != nil {
				return err
			}
			return c.Call("Plugin.Echo", []byte("alive"), &v)
		})
	}},
	{"counter-callback", "the plugin calls the host's helper through the broker", func(r *run) error {
		c, err := r.dispense("counter")
		if err != nil {
			return err
		}
		var got int64
		for i := int64(1); i <= 3; i++ {
			id := c.Broker.NextId()
			go c.Broker.AcceptAndServe(id, &Helper{})
			if err := c.Call("Plugin.Put", PutArgs{"n", 10, id}, &got); err != nil || got != 10*i {
				return fmt.Errorf("%d, %v", got, err)
			}
		}
		if err := c.Call("Plugin.Get", "n", &got); err != nil || got != 30 {
			return fmt.Errorf("%d, %v", got, err)
		}
		return nil
	}},
	{"counter-plugin-serves", "the host dials a helper that the plugin serves", func(r *run) error {
		c, err := r.dispense("counter")
		if err != nil {
			return err
		}
		var id uint32
		if err := c.Call("Plugin.Open", new(interface{}), &id); err != nil {
			return err
		}
		conn, err := c.Broker.Dial(id)
		if err != nil {
			return err
		}
		helper := rpc.NewClient(conn)
		defer func() { _ = helper.Close() }()
		var got int64
		if err := helper.Call("Plugin.Sum", SumArgs{40, 2}, &got); err != nil || got != 1042 {
			return fmt.Errorf("%d, %v", got, err)
		}
		return nil
	}},
	{"dispense-100", "100 times dispensed and called", func(r *run) error {
		for i := 0; i < 100; i++ {
			c, err := r.dispense("greeter")
			if err != nil {
				return err
			}
			var reply string
			if err := c.Call("Plugin.Greet", new(interface{}), &reply); err != nil {
				return err
			}
			_ = c.Close()
		}
		return nil
	}},
	{"ping", "a ping, where this go-plugin has one", func(r *run) error {
		if r.Ping == nil {
			return nil
		}
		return r.Ping()
	}},
	{"kill-in-call", "a graceful kill while a call hangs", func(r *run) error {
		return r.kv(func(c *Conn) error {
			var nothing interface{}
			c.Go("Plugin.Hang", new(interface{}), &nothing, nil)
			var v []byte
			return c.Call("Plugin.Echo", []byte("beside"), &v)
		})
	}},
}

func (r *run) dispense(name string) (*Conn, error) {
	raw, err := r.Dispense(name)
	if err != nil {
		return nil, err
	}
	return raw.(*Conn), nil
}

func (r *run) kv(f func(*Conn) error) error {
	c, err := r.dispense("kv")
	if err != nil {
		return err
	}
	return f(c)
}

func wantError(err error, text string) error {
	if err == nil {
		return errors.New("no error instead of " + text)
	}
	if err.Error() != text {
		return fmt.Errorf("the error is %q instead of %q", err.Error(), text)
	}
	return nil
}
