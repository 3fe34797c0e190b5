package main

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/goplug/fixtures/shared/pattern"
)

type check struct {
	name, scope, about string // scope: all, or ts for what ends a Go server
	run                func(*target) error
}

// target is the server under test.
type target struct{ network, address string }

func (t *target) dial() (net.Conn, error) {
	c, err := net.DialTimeout(t.network, t.address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return c, c.SetDeadline(time.Now().Add(20 * time.Second))
}

func (t *target) with(f func(*rpc.Client) error) error {
	c, err := t.dial()
	if err != nil {
		return err
	}
	client := rpc.NewClient(c)
	defer func() { _ = client.Close() }()
	return f(client)
}

func runChecks(network, address string, names []string) int {
	code := 0
	for _, c := range checks {
		if names == nil && c.scope != "all" || names != nil && !slices.Contains(names, c.name) {
			continue
		}
		done := make(chan error, 1)
		go func() { done <- c.run(&target{network, address}) }()
		var err error
		select {
		case err = <-done:
		case <-time.After(30 * time.Second):
			err = errors.New("not done within 30 s")
		}
		if err != nil {
			fmt.Printf("FAIL %s: %v\n", c.name, err)
			code = 1
		} else {
			fmt.Printf("ok %s\n", c.name)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(checks, func(c check) bool { return c.name == name }) {
			fmt.Fprintf(os.Stderr, "no such case: %s\n", name)
			return 64
		}
	}
	return code
}

var checks = []check{
	{"add", "all", "a call", func(t *target) error { return t.with(adds) }},
	{"mul", "all", "a call of another method", reply("Arith.Mul", Args{7, 8}, Reply{56})},
	{"negative", "all", "negative and zero fields", reply("Arith.Add", Args{-7, 7}, Reply{0})},
	{"embedded", "all", "a method of an embedded type", reply("Embed.Exported", Args{7, 0}, Reply{7})},
	{"dotted-name", "all", "service names with dots", func(t *target) error {
		for _, service := range []string{"net.rpc.Arith", "newServer.Arith"} {
			if err := reply(service+".Add", Args{7, 8}, Reply{15})(t); err != nil {
				return err
			}
		}
		return nil
	}},
	{"scan", "all", "an argument that is no struct", reply("Arith.Scan", "12345", Reply{12345})},
	{"string", "all", "a reply that is no struct", reply("Arith.String", Args{27, 35}, "27+35=62")},
	{"builtin-map", "all", "a map as reply", reply("BuiltinTypes.Map", Args{3, 4}, map[int]int{3: 4})},
	{"builtin-slice", "all", "a slice as reply", reply("BuiltinTypes.Slice", Args{3, 4}, []int{3, 4})},
	{"builtin-array", "all", "an array as reply", reply("BuiltinTypes.Array", Args{3, 4}, [2]int{3, 4})},
	{"nothing", "all", "nil interfaces as argument and reply", func(t *target) error {
		return t.with(func(c *rpc.Client) error {
			var nothing any
			if err := c.Call("Arith.Nothing", new(any), &nothing); err != nil || nothing != nil {
				return fmt.Errorf("%v, %v", nothing, err)
			}
			return adds(c)
		})
	}},
	{"discarded-reply", "all", "a client that throws the reply away", func(t *target) error {
		return t.with(func(c *rpc.Client) error {
			if err := c.Call("Arith.Add", Args{7, 8}, nil); err != nil {
				return err
			}
			return adds(c)
		})
	}},
	{"divide-by-zero", "all", "a method's error", fails("Arith.Div", Args{7, 0}, "divide by zero")},
	{"error-text", "all", "a method's error, long and in UTF-8", fails("Arith.Fail", strings.Repeat("Fehler: äöü ", 9999), strings.Repeat("Fehler: äöü ", 9999))},
	{"missing-method", "all", "Go's text for a method that does not exist", fails("Arith.BadOperation", Args{7, 0}, "rpc: can't find method Arith.BadOperation")},
	{"unexported-method", "all", "the same for a name in lower case", fails("Arith.add", Args{7, 0}, "rpc: can't find method Arith.add")},
	{"missing-service", "all", "Go's text for a service that does not exist", fails("Nope.Unknown", Args{7, 0}, "rpc: can't find service Nope.Unknown")},
	{"dotted-missing", "all", "the service's name ends at the last dot", fails("net.rpc.Nope.Add", Args{7, 0}, "rpc: can't find service net.rpc.Nope.Add")},
	{"ill-formed", "all", "Go's text for a name without a dot", fails("Add", Args{7, 0}, "rpc: service/method request ill-formed: Add")},
	{"wrong-type", "all", "arguments of the wrong type fail the call only", func(t *target) error {
		return t.with(func(c *rpc.Client) error {
			for _, args := range []any{Reply{1}, "a string", []int{1}, map[string]any{"A": 1}, 5} {
				err := c.Call("Arith.Add", args, new(Reply))
				if _, remote := err.(rpc.ServerError); !remote {
					return fmt.Errorf("with %T: the error is %v", args, err)
				}
				if err := adds(c); err != nil {
					return fmt.Errorf("after %T: %w", args, err)
				}
			}
			return nil
		})
	}},
	{"out-of-order", "all", "a slow call does not hold up the next", func(t *target) error {
		return t.with(func(c *rpc.Client) error {
			slow := c.Go("Arith.SleepMilli", Args{A: 500}, new(Reply), nil)
			if err := adds(c); err != nil {
				return err
			}
			select {
			case <-slow.Done:
				return errors.New("the slow call came first")
			default:
			}
			<-slow.Done
			return slow.Error
		})
	}},
	{"inflight64", "all", "10,000 calls with 64 in flight, each with its own answer", func(t *target) error {
		return t.with(func(c *rpc.Client) error { return inflight(c, 10000, 64) })
	}},
	{"connections", "all", "20 connections at once", func(t *target) error {
		failures := make(chan error, 20)
		for range 20 {
			go func() { failures <- t.with(func(c *rpc.Client) error { return inflight(c, 100, 4) }) }()
		}
		var err error
		for range 20 {
			err = errors.Join(err, <-failures)
		}
		return err
	}},
	{"echo-sizes", "all", "0 bytes to 16 MiB there and back", func(t *target) error {
		return t.with(func(c *rpc.Client) error {
			for _, n := range []int{0, 1, 127, 128, 255, 256, 65535, 65536, 1 << 20, 16 << 20} {
				var back []byte
				if err := c.Call("Arith.Echo", pattern.Bytes(n), &back); err != nil {
					return fmt.Errorf("%d bytes: %w", n, err)
				}
				if err := pattern.Check(back, n); err != nil {
					return err
				}
			}
			return nil
		})
	}},
	{"half-close", "all", "a client that closes its direction still gets its answers, and then the end", halfClose},
	{"gone-client", "all", "clients that go in mid-call do the server no harm", func(t *target) error {
		for range 20 {
			c, err := t.dial()
			if err != nil {
				return err
			}
			rpc.NewClient(c).Go("Arith.SleepMilli", Args{A: 50}, new(Reply), nil)
			time.Sleep(2 * time.Millisecond)
			_ = c.Close()
		}
		time.Sleep(100 * time.Millisecond)
		return t.with(adds)
	}},
	{"garbage", "all", "a header that does not decode: the connection closes without an answer", func(t *target) error {
		return closes(t, pattern.Bytes(1024))
	}},
	{"cut-header", "all", "half a header, then the end: the same", func(t *target) error {
		return closes(t, []byte{0x35, 0xff, 0x81, 0x03, 0x01})
	}},
	{"huge-length", "all", "a message that claims a length of 2 GiB: the same, at once", func(t *target) error {
		return closes(t, []byte{0xfc, 0x7f, 0xff, 0xff, 0xff, 0x00})
	}},
	{"error-after-close", "all", "calls after the client's Close fail with ErrShutdown (the client's own part)", func(t *target) error {
		return t.with(func(c *rpc.Client) error {
			if err := adds(c); err != nil {
				return err
			}
			if err := c.Close(); err != nil {
				return err
			}
			if err := c.Call("Arith.Add", Args{7, 9}, new(Reply)); !errors.Is(err, rpc.ErrShutdown) {
				return fmt.Errorf("the error is %v", err)
			}
			return nil
		})
	}},
	{"panic", "ts", "a handler that throws fails its call only", func(t *target) error {
		return t.with(func(c *rpc.Client) error {
			err := c.Call("Arith.Error", Args{1, 2}, new(Reply))
			if err == nil || !strings.Contains(err.Error(), "ERROR") {
				return fmt.Errorf("the error is %v", err)
			}
			return adds(c)
		})
	}},
	{"missing-method-nil", "ts", "an unknown method with a nil interface as argument: answered at once (a Go server waits for one more message)",
		func(t *target) error {
			return t.with(func(c *rpc.Client) error {
				call := c.Go("Arith.Nope", new(any), new(Reply), nil)
				select {
				case <-call.Done:
				case <-time.After(10 * time.Second):
					return errors.New("no answer within 10 s")
				}
				if call.Error == nil || call.Error.Error() != "rpc: can't find method Arith.Nope" {
					return fmt.Errorf("the error is %v", call.Error)
				}
				return adds(c)
			})
		}},
}

// reply checks a call's answer.
func reply[T any](method string, args any, want T) func(*target) error {
	return func(t *target) error {
		return t.with(func(c *rpc.Client) error {
			var got T
			if err := c.Call(method, args, &got); err != nil {
				return err
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				return fmt.Errorf("%v instead of %v", got, want)
			}
			return nil
		})
	}
}

// fails checks a call's error, and that the connection lives.
func fails(method string, args any, text string) func(*target) error {
	return func(t *target) error {
		return t.with(func(c *rpc.Client) error {
			for range 2 {
				err := c.Call(method, args, new(Reply))
				if _, remote := err.(rpc.ServerError); !remote || err.Error() != text {
					return fmt.Errorf("the error is %.200q instead of %.200q", fmt.Sprint(err), text)
				}
			}
			return adds(c)
		})
	}
}

func adds(c *rpc.Client) error {
	var r Reply
	if err := c.Call("Arith.Add", Args{7, 8}, &r); err != nil || r.C != 15 {
		return fmt.Errorf("7 + 8 is %d, %v", r.C, err)
	}
	return nil
}

func inflight(c *rpc.Client, calls, workers int) error {
	failures := make(chan error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for n := w; n < calls; n += workers {
				var r Reply
				if err := c.Call("Arith.Add", Args{n, -2 * n}, &r); err != nil || r.C != -n {
					failures <- fmt.Errorf("call %d: %d, %v", n, r.C, err)
					return
				}
			}
		}()
	}
	wg.Wait()
	close(failures)
	return <-failures
}

func halfClose(t *target) error {
	c, err := t.dial()
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	var out bytes.Buffer
	enc := gob.NewEncoder(&out)
	for seq := range 3 {
		if err := enc.Encode(rpc.Request{ServiceMethod: "Arith.SleepMilli", Seq: uint64(seq)}); err != nil {
			return err
		}
		if err := enc.Encode(Args{A: 300 - 100*seq}); err != nil {
			return err
		}
	}
	if _, err := c.Write(out.Bytes()); err != nil {
		return err
	}
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		return err
	}
	dec := gob.NewDecoder(c)
	for range 3 {
		var head rpc.Response
		var body Reply
		if err := dec.Decode(&head); err != nil {
			return fmt.Errorf("no answer after half-closing: %w", err)
		}
		if err := dec.Decode(&body); err != nil {
			return err
		}
		if want := 300 - 100*int(head.Seq); head.Error != "" || body.C != want {
			return fmt.Errorf("answer %+v %+v", head, body)
		}
	}
	if n, err := io.Copy(io.Discard, c); n != 0 || err != nil {
		return fmt.Errorf("after the answers: %d bytes, %v", n, err)
	}
	return nil
}

// closes sends bytes and checks that the connection ends without an answer, and
// that the server still serves others.
func closes(t *target, b []byte) error {
	c, err := t.dial()
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Write(b); err != nil {
		return err
	}
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		return err
	}
	if n, err := io.Copy(io.Discard, c); n != 0 {
		return fmt.Errorf("an answer of %d bytes", n)
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.New("the connection is not closed")
	}
	return t.with(adds)
}
