package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/goplug/fixtures/shared/countergrpc"
	"example.com/goplug/fixtures/shared/fixturepb"
)

func init() {
	for _, v := range variants {
		addCounter("all", "counter-callback", "the plugin adds up through a helper that the host serves", v, callbacks)
		addCounter("all", "counter-error", "the helper's status error is that of Put, and the store keeps its value", v, callbackFails)
		addCounter("all", "counter-plugin-serves", "the plugin serves a helper on an id of its own, and the host dials it", v, pluginServes)
		addCounter("all", "counter-nested", "plugin to host to plugin to host and back, each on a fresh id", v, nested)
		addCounter("all", "counter-16-at-once", "16 callbacks at once, in both directions", v, countersAtOnce)
		addCounter("all", "counter-100", "100 callbacks one after another, none of them left open", v, func(_ *peer, c *countergrpc.Client) error {
			for i := range 100 {
				if got, err := putSum(c, "n", 1); err != nil || got != int64(i+1) {
					return fmt.Errorf("time %d: %d, %v", i+1, got, err)
				}
			}
			return nil
		})
	}
	for _, v := range []variant{plain, variants[2]} {
		addCounter("all", "counter-undialled", "20 helpers of the plugin that nobody dials: calls go on, the end is clean", v,
			func(_ *peer, c *countergrpc.Client) error {
				for range 20 {
					if _, err := call(c.Counter.Open, &fixturepb.CounterOpen{}); err != nil {
						return err
					}
				}
				return callbacks(nil, c)
			})
	}
	addCounter("all", "counter-dial-nobody", "the plugin dials an id that nobody announces: `timeout waiting for connection info` after 5 s, other callbacks meanwhile",
		plain, func(_ *peer, c *countergrpc.Client) error {
			return nobody(c, "timeout waiting for connection info", -1)
		})
	addCounter("all", "counter-dial-nobody", "the plugin dials an id where nobody listens: `timeout waiting for multiplexing knock handshake on id N` after 5 s, in the call's UNAVAILABLE",
		variants[2], func(_ *peer, c *countergrpc.Client) error {
			return nobody(c, "timeout waiting for multiplexing knock handshake on id 777", int32(codes.Unavailable))
		})
	addCounter("all", "counter-dial-again", "with multiplexing an id can be dialled again while it is served", variants[2],
		func(_ *peer, c *countergrpc.Client) error {
			reply, err := call(c.Counter.Open, &fixturepb.CounterOpen{})
			if err != nil {
				return err
			}
			for range 5 {
				if err := sumGRPC(c, reply.Id); err != nil {
					return err
				}
			}
			return nil
		})
	addGRPC("ts", "counter", "counter-sockets", "the sockets of brokered servers are where PLUGIN_UNIX_SOCKET_DIR says, and none is left at the end", brokeredSockets)
}

func addCounter(scope, name, about string, v variant, f func(*peer, *countergrpc.Client) error) {
	addGRPC(scope, "counter", name+v.suffix, about+v.about, func(h *harness) error {
		return withGRPC(h, v, func(p *peer, c *grpcConn) error {
			return f(p, &countergrpc.Client{Counter: fixturepb.NewCounterClient(c), Broker: c.broker})
		})
	})
}

func putSum(c *countergrpc.Client, key string, value int64) (int64, error) {
	ctx, cancel := soon()
	defer cancel()
	return c.Put(ctx, key, value, plainSum)
}

func callbacks(_ *peer, c *countergrpc.Client) error {
	for i, want := range []int64{5, 12, 4, 1 << 60} {
		got, err := putSum(c, "key", []int64{5, 7, -8, 1<<60 - 4}[i])
		if err != nil || got != want {
			return fmt.Errorf("the sum is %d instead of %d, %v", got, want, err)
		}
	}
	for key, want := range map[string]int64{"key": 1 << 60, "other": 0} {
		reply, err := call(c.Counter.Get, &fixturepb.CounterKey{Key: key})
		if err != nil || reply.Value != want {
			return fmt.Errorf("%s is %d instead of %d, %v", key, reply.GetValue(), want, err)
		}
	}
	return nil
}

func callbackFails(_ *peer, c *countergrpc.Client) error {
	if _, err := putSum(c, "key", 3); err != nil {
		return err
	}
	ctx, cancel := soon()
	defer cancel()
	_, err := c.Put(ctx, "key", 4, func(a, b int64) (int64, error) {
		return 0, status.Errorf(codes.OutOfRange, "no adding of %d and %d", a, b)
	})
	if err := wantStatus(err, codes.OutOfRange, "no adding of 3 and 4"); err != nil {
		return err
	}
	if got, err := putSum(c, "key", 5); err != nil || got != 8 {
		return fmt.Errorf("afterwards %d, %v", got, err)
	}
	return nil
}

func sumGRPC(c *countergrpc.Client, id uint32) error {
	conn, err := c.Broker.Dial(id)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	helper := fixturepb.NewAddHelperClient(conn)
	for i := range 3 {
		reply, err := call(helper.Sum, &fixturepb.SumRequest{A: 40, B: int64(i)})
		if err != nil {
			return err
		}
		if reply.R != int64(1040+i) {
			return fmt.Errorf("the plugin's helper answers %d instead of %d", reply.R, 1040+i)
		}
	}
	return nil
}

func pluginServes(_ *peer, c *countergrpc.Client) error {
	for range 3 {
		reply, err := call(c.Counter.Open, &fixturepb.CounterOpen{})
		if err != nil {
			return err
		}
		if err := sumGRPC(c, reply.Id); err != nil {
			return fmt.Errorf("id %d: %w", reply.Id, err)
		}
	}
	return nil
}

func nested(_ *peer, c *countergrpc.Client) error {
	for depth := range int32(6) {
		id := c.Broker.NextId()
		stop := countergrpc.Serve(c.Broker, id, c.Helper(plainSum))
		reply, err := call(c.Counter.Nest, &fixturepb.NestRequest{Depth: depth, Id: id})
		stop()
		if err != nil {
			return fmt.Errorf("depth %d: %w", depth, err)
		}
		var want []string
		for d := depth; d >= 0; d-- {
			who := []string{"plugin", "host"}[(depth-d)%2]
			want = append(want, fmt.Sprintf("%s %d", who, d))
		}
		if !slices.Equal(reply.Names, want) {
			return fmt.Errorf("the names are %q instead of %q", reply.Names, want)
		}
	}
	return nil
}

func countersAtOnce(_ *peer, c *countergrpc.Client) error {
	return atOnce(16, func(i int) error {
		if i%2 == 0 {
			return pluginServes(nil, c)
		}
		key := fmt.Sprint("key ", i)
		for n := range int64(3) {
			if got, err := putSum(c, key, 10); err != nil || got != 10*(n+1) {
				return fmt.Errorf("%s is %d, %v", key, got, err)
			}
		}
		return nil
	})
}

// nobody has the plugin dial id 777 and, as long as it waits, serves a helper
// of the plugin's that was dialled before.
func nobody(c *countergrpc.Client, text string, code int32) error {
	opened, err := call(c.Counter.Open, &fixturepb.CounterOpen{})
	if err != nil {
		return err
	}
	conn, err := c.Broker.Dial(opened.Id)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	helper := fixturepb.NewAddHelperClient(conn)
	if _, err := call(helper.Sum, &fixturepb.SumRequest{A: 1}); err != nil {
		return err
	}

	start := time.Now()
	type answer struct {
		reply *fixturepb.DialFailure
		err   error
	}
	answered := make(chan answer, 1)
	go func() {
		reply, err := call(c.Counter.DialNobody, &fixturepb.BrokerId{Id: 777})
		answered <- answer{reply, err}
	}()
	var got answer
	for calls := 0; ; calls++ {
		if _, err := call(helper.Sum, &fixturepb.SumRequest{A: 1}); err != nil {
			return fmt.Errorf("meanwhile: %w", err)
		}
		select {
		case got = <-answered:
		case <-time.After(200 * time.Millisecond):
			continue
		}
		break
	}
	if got.err != nil {
		return got.err
	}
	if took := time.Since(start); took < 4*time.Second || took > 25*time.Second {
		return fmt.Errorf("given up after %v", took)
	}
	if got.reply.Code != code || !strings.Contains(got.reply.Text, text) {
		return fmt.Errorf("the failure is %d %q", got.reply.Code, got.reply.Text)
	}
	return callbacks(nil, c)
}

func brokeredSockets(h *harness) error {
	dir, err := os.MkdirTemp("", "host-check")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	p, c, err := h.startGRPC(plain, "PLUGIN_UNIX_SOCKET_DIR="+dir)
	if err != nil {
		return err
	}
	counter := fixturepb.NewCounterClient(c)
	for range 5 {
		if _, err := call(counter.Open, &fixturepb.CounterOpen{}); err != nil {
			return err
		}
	}
	err = until(patience, "there are not six sockets in the directory", func() bool {
		entries, err := os.ReadDir(dir)
		return err == nil && len(entries) == 6
	})
	if err != nil {
		return err
	}
	if err := p.quit(); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return errors.New("left in the directory: " + fmt.Sprint(entries))
	}
	return nil
}
