package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"example.com/goplug/fixtures/shared/fixturepb"
	"example.com/goplug/fixtures/shared/kvpb"
	"example.com/goplug/fixtures/shared/pattern"
)

func init() {
	for _, size := range []struct {
		name, service string
		bytes         int
	}{{"empty", "store", 0}, {"64B", "store", 64}, {"1MiB", "store", 1 << 20}, {"64MiB", "kv", 64 << 20}} {
		addGRPC("all", size.service, "kv-"+size.name, fmt.Sprintf("Put and Get of a value of %d bytes", size.bytes), func(h *harness) error {
			return withGRPC(h, plain, func(_ *peer, c *grpcConn) error { return roundTrip(c, size.bytes) })
		}).within(60 * time.Second)
	}
	for _, v := range variants[1:] {
		addGRPC("all", "kv", "kv"+v.suffix, "values of 0 bytes, 1 KiB and 8 MiB, and a missing key"+v.about, func(h *harness) error {
			return withGRPC(h, v, func(_ *peer, c *grpcConn) error {
				for _, n := range []int{0, 1 << 10, 8 << 20} {
					if err := roundTrip(c, n); err != nil {
						return err
					}
				}
				_, err := get(c.kv(), "nowhere")
				return wantStatus(err, codes.NotFound, "key not found: nowhere")
			})
		})
	}
	addGRPC("all", "store", "kv-missing-key", "Get of a missing key: NOT_FOUND, `key not found: NAME`, and the connection lives",
		func(h *harness) error {
			return withGRPC(h, plain, func(_ *peer, c *grpcConn) error {
				for _, name := range []string{"nowhere", "", "Schlüssel\n100%"} {
					_, err := get(c.kv(), name)
					if err := wantStatus(err, codes.NotFound, "key not found: "+name); err != nil {
						return err
					}
				}
				return put(c.kv(), "nowhere", []byte("now"))
			})
		})
	addGRPC("all", "store", "kv-overwrite", "a second Put replaces the first; keys do not mix", func(h *harness) error {
		return withGRPC(h, plain, func(_ *peer, c *grpcConn) error {
			for _, step := range []struct{ key, value string }{{"a", "1"}, {"b", "2"}, {"a", "3"}} {
				if err := put(c.kv(), step.key, []byte(step.value)); err != nil {
					return err
				}
			}
			for key, want := range map[string]string{"a": "3", "b": "2"} {
				if v, err := get(c.kv(), key); err != nil || string(v) != want {
					return fmt.Errorf("%s is %q, %v", key, v, err)
				}
			}
			return nil
		})
	})
	for _, v := range variants {
		addGRPC("all", "kv", "inflight64"+v.suffix, "10,000 calls with 64 in flight, each with its own right answer"+v.about,
			func(h *harness) error { return withGRPC(h, v, grpcInflight) }).within(60 * time.Second)
	}
	addGRPC("all", "kv", "echo64k", "Echo of 64 KiB, 200 times", func(h *harness) error {
		return withGRPC(h, plain, func(_ *peer, c *grpcConn) error {
			payload := pattern.Bytes(1 << 16)
			for range 200 {
				back, err := call(c.tools().Echo, &fixturepb.Bytes{Data: payload})
				if err != nil {
					return err
				}
				if !bytes.Equal(back.Data, payload) {
					return errors.New("the echo differs")
				}
			}
			return nil
		})
	})
	addGRPC("all", "kv", "out-of-order", "a slow call does not hold up those behind it", func(h *harness) error {
		return withGRPC(h, plain, func(_ *peer, c *grpcConn) error {
			slow := make(chan error, 1)
			go func() { slow <- number(c.tools().Sleep, 1000) }()
			for range 50 {
				if err := number(c.tools().Sleep, 1); err != nil {
					return err
				}
				if len(slow) > 0 {
					break
				}
			}
			if len(slow) > 0 {
				return errors.New("the slow call came first")
			}
			return <-slow
		})
	})
	addGRPC("all", "kv", "surroundings", "the plugin's own process id and environment", grpcSurroundings)
	addGRPC("all", "kv", "status", "all 17 status codes, with their texts, a header and a trailer", grpcStatus)
	addGRPC("all", "kv", "metadata", "the host's metadata reaches the plugin, text and binary", func(h *harness) error {
		return withGRPC(h, plain, func(_ *peer, c *grpcConn) error {
			ctx, cancel := soon()
			defer cancel()
			want := map[string]string{"goplug-text": "plain text", "goplug-raw-bin": "\x00\xff\x80"}
			reply, err := c.tools().Metadata(metadata.NewOutgoingContext(ctx, metadata.New(want)), &fixturepb.Nothing{})
			if err != nil {
				return err
			}
			for key, value := range want {
				if got := string(reply.Pairs[key]); got != value {
					return fmt.Errorf("%s is %q", key, got)
				}
			}
			return nil
		})
	})
	addGRPC("all", "kv", "deadline", "a deadline and a cancellation end the call here, and the plugin hears of both", func(h *harness) error {
		return withGRPC(h, plain, func(_ *peer, c *grpcConn) error {
			ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
			defer cancel()
			_, err := c.tools().Hang(ctx, &fixturepb.Nothing{})
			if err := wantStatus(err, codes.DeadlineExceeded, ""); err != nil {
				return err
			}
			ctx, cancel = context.WithCancel(context.Background())
			time.AfterFunc(200*time.Millisecond, cancel)
			_, err = c.tools().Hang(ctx, &fixturepb.Nothing{})
			if err := wantStatus(err, codes.Canceled, ""); err != nil {
				return err
			}
			return until(patience, "the plugin has not heard of two cancellations", func() bool {
				reply, err := call(c.tools().Cancelled, &fixturepb.Nothing{})
				return err == nil && reply.N == 2
			})
		})
	})
	addGRPC("all", "kv", "unimplemented", "an unknown method and an unknown service: UNIMPLEMENTED, and the connection lives", func(h *harness) error {
		return withGRPC(h, plain, func(_ *peer, c *grpcConn) error {
			for _, method := range []string{"/proto.KV/Nope", "/proto.Nope/Get"} {
				ctx, cancel := soon()
				err := c.Invoke(ctx, method, &kvpb.Empty{}, &kvpb.Empty{})
				cancel()
				if err := wantStatus(err, codes.Unimplemented, ""); err != nil {
					return err
				}
			}
			return put(c.kv(), "a", []byte("b"))
		})
	})
	addGRPC("all", "kv", "logs", "the plugin's log lines come out at their level, with name and pairs", func(h *harness) error {
		return withGRPC(h, plain, grpcLogs)
	})
	addGRPC("all", "kv", "dispense-shared", "Dispense gives the same connection each time: 100 of them see one store", func(h *harness) error {
		return withGRPC(h, plain, func(p *peer, c *grpcConn) error {
			if err := put(c.kv(), "shared", []byte("yes")); err != nil {
				return err
			}
			for range 100 {
				other, err := p.dispenseGRPC()
				if err != nil {
					return err
				}
				if v, err := get(other.kv(), "shared"); err != nil || string(v) != "yes" {
					return fmt.Errorf("%q, %v", v, err)
				}
			}
			return nil
		})
	})
}

func roundTrip(c *grpcConn, n int) error {
	key := fmt.Sprint("of ", n)
	if err := put(c.kv(), key, pattern.Bytes(n)); err != nil {
		return err
	}
	v, err := get(c.kv(), key)
	if err != nil {
		return err
	}
	return pattern.Check(v, n)
}

func grpcInflight(_ *peer, c *grpcConn) error {
	const calls, keys = 10000, 100
	value := func(k int) []byte { return fmt.Appendf(nil, "value of %d %s", k, strings.Repeat("x", k)) }
	for k := range keys {
		if err := put(c.kv(), fmt.Sprint(k), value(k)); err != nil {
			return err
		}
	}
	var next atomic.Int64
	return atOnce(64, func(int) error {
		for n := int(next.Add(1)); n <= calls; n = int(next.Add(1)) {
			if err := grpcOneOf(c, n, value(n%keys), n%keys); err != nil {
				return fmt.Errorf("call %d: %w", n, err)
			}
		}
		return nil
	})
}

// grpcOneOf is a Get mostly, an Echo or a failing Get at times.
func grpcOneOf(c *grpcConn, n int, value []byte, key int) error {
	switch n % 10 {
	case 3:
		payload := fmt.Appendf(nil, "call %d", n)
		back, err := call(c.tools().Echo, &fixturepb.Bytes{Data: payload})
		if err != nil || !bytes.Equal(back.Data, payload) {
			return fmt.Errorf("echo %q, %v", back, err)
		}
		return nil
	case 7:
		name := fmt.Sprintf("missing-%d", n)
		_, err := get(c.kv(), name)
		return wantStatus(err, codes.NotFound, "key not found: "+name)
	default:
		v, err := get(c.kv(), fmt.Sprint(key))
		if err != nil || !bytes.Equal(v, value) {
			return fmt.Errorf("%q, %v", v, err)
		}
		return nil
	}
}

func grpcSurroundings(h *harness) error {
	p, c, err := h.startGRPC(plain, "GOPLUG_CHECK_VARIABLE=äöü = 1")
	if err != nil {
		return err
	}
	pid, err := call(c.tools().Pid, &fixturepb.Nothing{})
	if err != nil || int(pid.N) != p.cmd.Process.Pid {
		return fmt.Errorf("pid %d instead of %d, %v", pid.GetN(), p.cmd.Process.Pid, err)
	}
	for name, want := range map[string]string{
		"GOPLUG_CHECK_VARIABLE": "äöü = 1", "GOPLUG_CHECK_UNSET": "", "BASIC_PLUGIN": "hello", "PLUGIN_PROTOCOL_VERSIONS": "1",
	} {
		value, err := call(c.tools().Env, &fixturepb.Text{Text: name})
		if err != nil || value.Text != want {
			return fmt.Errorf("%s is %q instead of %q, %v", name, value.GetText(), want, err)
		}
	}
	return p.quit()
}

func grpcStatus(h *harness) error {
	return withGRPC(h, plain, func(_ *peer, c *grpcConn) error {
		for code := codes.OK; code <= codes.Unauthenticated; code++ {
			ctx, cancel := soon()
			var header, trailer metadata.MD
			text := fmt.Sprintf("Text für %d: 100%% \"日本語\"\nsecond line", code)
			_, err := c.tools().Fail(ctx, &fixturepb.Failure{Code: int32(code), Text: text}, grpc.Header(&header), grpc.Trailer(&trailer))
			cancel()
			if code == codes.OK {
				text = ""
			}
			if err := wantStatus(err, code, text); err != nil {
				return err
			}
			// A server that has sent nothing yet may put its header into the trailer.
			both := metadata.Join(header, trailer)
			if got := both.Get("goplug-header"); len(got) != 1 || got[0] != "yes" {
				return fmt.Errorf("code %d: the header is %v", code, got)
			}
			if got := both.Get("goplug-trailer"); len(got) != 1 || got[0] != fmt.Sprint(uint32(code)) {
				return fmt.Errorf("code %d: the trailer is %v", code, got)
			}
		}
		return nil
	})
}

func grpcLogs(p *peer, c *grpcConn) error {
	message := fmt.Sprintf("log check %d", os.Getpid())
	if _, err := call(c.tools().LogAll, &fixturepb.Text{Text: message}); err != nil {
		return err
	}
	if _, err := call(c.tools().RawStderr, &fixturepb.Text{Text: "[WARN] a raw line\nanother raw line\n"}); err != nil {
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
}
