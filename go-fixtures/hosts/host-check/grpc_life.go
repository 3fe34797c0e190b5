package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"example.com/goplug/fixtures/shared/fixturepb"
)

func init() {
	for _, v := range variants {
		service := "kv"
		if v == plain {
			service = "store"
		}
		addGRPC("all", service, "ping"+v.suffix, "100 pings"+v.about, func(h *harness) error {
			return withGRPC(h, v, func(p *peer, _ *grpcConn) error {
				for range 100 {
					if err := p.rpc.Ping(); err != nil {
						return err
					}
				}
				return nil
			})
		})
		addGRPC("all", "kv", "kill"+v.suffix, "Kill ends the plugin by its controller: exit code 0 within 2 s; a second Kill is nothing"+v.about,
			func(h *harness) error {
				p, c, err := h.startGRPC(v)
				if err != nil {
					return err
				}
				if err := put(c.kv(), "a", []byte("b")); err != nil {
					return err
				}
				if err := p.quitGRPC(v); err != nil {
					return err
				}
				p.client.Kill()
				return bounded(patience, "the end of the plugin's context", func() error { <-c.gone.Done(); return nil })
			})
		addGRPC("all", "kv", "kill-at-once"+v.suffix, "Kill right after the start"+v.about, func(h *harness) error {
			p, _, err := h.startGRPC(v)
			if err != nil {
				return err
			}
			return p.quitGRPC(v)
		})
		addGRPC("all", "kv", "kill-in-call"+v.suffix, "Kill with a call that never settles and streams open is graceful all the same, and ends them"+v.about,
			func(h *harness) error { return killInCall(h, v) })
	}
	addGRPC("ts", "kv", "mux-socket", "a multiplexed plugin removes its socket file too (Go's do not)", func(h *harness) error {
		p, _, err := h.startGRPC(variants[2])
		if err != nil {
			return err
		}
		return p.quit()
	})
	addGRPC("all", "kv", "controller", "Shutdown from a client without go-plugin ends the process: exit code 0, socket file removed", func(h *harness) error {
		return launched(h, func(p *process, c *grpcConn, addr net.Addr) error {
			if err := shutdown(c); err != nil {
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
	})
	addGRPC("all", "kv", "stdio-second", "a second stdio stream, accepted or refused, does no harm to the host that has the first", func(h *harness) error {
		return withGRPC(h, plain, func(p *peer, c *grpcConn) error {
			ctx, cancel := soon()
			defer cancel()
			s, err := c.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/plugin.GRPCStdio/StreamStdio")
			if err != nil {
				return err
			}
			if err := errors.Join(s.SendMsg(&emptypb.Empty{}), s.CloseSend()); err != nil {
				return err
			}
			if err := number(c.tools().WriteStdout, 1000); err != nil {
				return err
			}
			return p.rpc.Ping()
		})
	})
	addGRPC("all", "kv", "kill-blocked", "Kill of a plugin that is deaf for 3 s (blocked event loop): gone all the same", func(h *harness) error {
		p, c, err := h.startGRPC(plain)
		if err != nil {
			return err
		}
		blocked := make(chan error, 1)
		go func() { blocked <- number(c.tools().Block, 3000) }()
		time.Sleep(300 * time.Millisecond)
		if len(blocked) > 0 {
			return fmt.Errorf("Block(3000) answers at once: %v", <-blocked)
		}
		if err := bounded(2*patience, "Kill", func() error { p.client.Kill(); return nil }); err != nil {
			return err
		}
		if p.cmd.ProcessState == nil {
			return errors.New("the process is still there")
		}
		return nil
	})
	addGRPC("go", "kv", "kill-stopped", "Kill of a stopped plugin does not come back before it runs again: go-plugin's Shutdown call has no deadline", killStopped)
	addGRPC("go", "kv", "kill-ignored-shutdown", "a plugin that stops serving and stays is killed", func(h *harness) error {
		p, _, err := h.startGRPC(plain, "GOPLUG_FIXTURE=ignore-quit")
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
	for _, end := range []struct{ name, scope, about string }{
		{"exit", "all", "a plugin that exits with code 7 in mid-call"},
		{"crash", "go", "a plugin that crashes in mid-call"},
		{"killed", "all", "a plugin that dies of SIGKILL in mid-call"},
	} {
		addGRPC(end.scope, "kv", end.name+"-in-call", end.about+": that call and those beside it fail with UNAVAILABLE, streams too",
			func(h *harness) error { return grpcDiesInCall(h, end.name) })
	}
	addGRPC("all", "store", "conn-sequence", "10 connections one after another on one plugin", func(h *harness) error {
		return withGRPC(h, plain, func(p *peer, c *grpcConn) error {
			if err := put(c.kv(), "n", []byte("kept")); err != nil {
				return err
			}
			for i := range 10 {
				if err := withCopy(p, func(other *grpcConn) error { return holds(other, "n", "kept") }); err != nil {
					return fmt.Errorf("connection %d: %w", i+1, err)
				}
			}
			return holds(c, "n", "kept")
		})
	})
	addGRPC("all", "store", "conn-parallel", "8 connections at once on one plugin, 100 calls each, one store", func(h *harness) error {
		return withGRPC(h, plain, func(p *peer, c *grpcConn) error {
			err := atOnce(8, func(i int) error {
				return withCopy(p, func(other *grpcConn) error {
					for n := range 50 {
						value := fmt.Sprint("value ", i, n)
						if err := put(other.kv(), fmt.Sprint("of ", i), []byte(value)); err != nil {
							return err
						}
						if err := holds(other, fmt.Sprint("of ", i), value); err != nil {
							return err
						}
					}
					return nil
				})
			})
			if err != nil {
				return err
			}
			for i := range 8 {
				if err := holds(c, fmt.Sprint("of ", i), fmt.Sprint("value ", i, 49)); err != nil {
					return err
				}
			}
			return nil
		})
	})
	addGRPC("all", "kv", "reattach", "a second host attaches; in test mode its Kill leaves the plugin alone, else it ends it", reattachGRPC)
	addGRPC("go", "kv", "reattach-mux", "go-plugin refuses to reattach with multiplexing", func(h *harness) error {
		return withGRPC(h, plain, func(p *peer, _ *grpcConn) error {
			config := grpcReattach(p, true)
			config.GRPCBrokerMultiplex = true
			_, err := plugin.NewClient(config).Client()
			const want = "gRPC broker multiplexing is not supported with Reattach config"
			if err == nil || err.Error() != want {
				return fmt.Errorf("the error is %v", err)
			}
			return nil
		})
	})
	addGRPC("all", "kv", "sigint-ignored", "three SIGINT do nothing to the plugin", func(h *harness) error {
		return withGRPC(h, plain, func(p *peer, c *grpcConn) error {
			// Go's plugins print their line first and then ignore SIGINT: an answer tells that they do.
			if err := p.rpc.Ping(); err != nil {
				return err
			}
			for range 3 {
				if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
					return err
				}
				time.Sleep(50 * time.Millisecond)
			}
			return put(c.kv(), "a", []byte("b"))
		})
	})
	addGRPC("ts", "kv", "sigterm", "SIGTERM is a clean stop: the plugin ends and removes its socket file", func(h *harness) error {
		p, _, err := h.startGRPC(plain)
		if err != nil {
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
}

func holds(c *grpcConn, key, want string) error {
	if v, err := get(c.kv(), key); err != nil || string(v) != want {
		return fmt.Errorf("%s is %q instead of %q, %v", key, v, want, err)
	}
	return nil
}

func withCopy(p *peer, f func(*grpcConn) error) error {
	c, err := bareCopy(p.addr())
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	return f(c)
}

// launched starts the plugin without go-plugin and connects to it; f must end it.
func launched(h *harness, f func(*process, *grpcConn, net.Addr) error) error {
	p, err := h.launch(hostEnv...)
	if err != nil {
		return err
	}
	addr, err := p.addr()
	if err != nil {
		return err
	}
	c, err := bareCopy(addr)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	return f(p, c, addr)
}

// shutdown asks the plugin to end. Go's server stops in the handler, so that
// the answer is lost mostly.
func shutdown(c *grpcConn) error {
	ctx, cancel := soon()
	defer cancel()
	err := c.Invoke(ctx, "/plugin.GRPCController/Shutdown", &emptypb.Empty{}, &emptypb.Empty{})
	if code := status.Code(err); code != codes.OK && code != codes.Unavailable {
		return fmt.Errorf("Shutdown: %w", err)
	}
	return nil
}

func killInCall(h *harness, v variant) error {
	p, c, err := h.startGRPC(v)
	if err != nil {
		return err
	}
	ended := make(chan error, 2)
	go func() {
		_, err := call(c.tools().Hang, &fixturepb.Nothing{})
		ended <- err
	}()
	ctx, cancel := soon()
	defer cancel()
	s, err := c.stream().Source(ctx, &fixturepb.SourceRequest{Bytes: 10, Stay: true})
	if err != nil {
		return err
	}
	if _, err := s.Recv(); err != nil {
		return err
	}
	go func() {
		_, err := s.Recv()
		ended <- err
	}()
	if err := put(c.kv(), "beside", []byte("yes")); err != nil {
		return err
	}
	if err := p.quitGRPC(v); err != nil {
		return err
	}
	return bounded(patience, "the call and the stream", func() error {
		for range 2 {
			if err := <-ended; status.Code(err) != codes.Unavailable && status.Code(err) != codes.Canceled {
				return fmt.Errorf("its end is %v", err)
			}
		}
		return nil
	})
}

func killStopped(h *harness) error {
	p, c, err := h.startGRPC(plain)
	if err != nil {
		return err
	}
	go func() { _, _ = call(c.tools().Freeze, &fixturepb.Nothing{}) }()
	time.Sleep(300 * time.Millisecond)
	killed := make(chan struct{})
	go func() { p.client.Kill(); close(killed) }()
	select {
	case <-killed:
		return fmt.Errorf("Kill came back: %v", p.cmd.ProcessState)
	case <-time.After(4 * time.Second):
	}
	if err := resume(p.cmd.Process); err != nil {
		return err
	}
	return bounded(2*patience, "Kill", func() error { <-killed; return nil })
}

func grpcDiesInCall(h *harness, end string) error {
	p, c, err := h.startGRPC(plain)
	if err != nil {
		return err
	}
	beside := make(chan error, 2)
	go func() {
		_, err := call(c.tools().Hang, &fixturepb.Nothing{})
		beside <- err
	}()
	ctx, cancel := soon()
	defer cancel()
	s, err := c.stream().Mirror(ctx)
	if err != nil {
		return err
	}
	if err := s.Send(&fixturepb.Chunk{Data: []byte("x")}); err != nil {
		return err
	}
	if _, err := s.Recv(); err != nil {
		return err
	}
	go func() {
		_, err := s.Recv()
		beside <- err
	}()
	switch end {
	case "exit":
		_, err = call(c.tools().Exit, &fixturepb.Number{N: 7})
	case "crash":
		_, err = call(c.tools().Crash, &fixturepb.Text{Text: "boom"})
	case "killed":
		_, err = call(c.tools().KillSelf, &fixturepb.Nothing{})
	}
	if err := wantStatus(err, codes.Unavailable, ""); err != nil {
		return err
	}
	err = bounded(patience, "the call and the stream beside it", func() error {
		return errors.Join(wantStatus(<-beside, codes.Unavailable, ""), wantStatus(<-beside, codes.Unavailable, ""))
	})
	if err != nil {
		return err
	}
	state, err := p.waitExit(patience)
	if err != nil {
		return err
	}
	switch {
	case end == "exit" && state.ExitCode() != 7,
		end == "killed" && !wasKilled(state),
		state.Success():
		return fmt.Errorf("the end is %v", state)
	}
	return bounded(patience, "the end of the plugin's context", func() error { <-c.gone.Done(); return nil })
}

func grpcReattach(p *peer, test bool) *plugin.ClientConfig {
	config := reattachConfig(p, test)
	config.Plugins = grpcSet
	config.AllowedProtocols = []plugin.Protocol{plugin.ProtocolGRPC}
	return config
}

func reattachGRPC(h *harness) error {
	p, c, err := h.startGRPC(plain)
	if err != nil {
		return err
	}
	if err := put(c.kv(), "a", []byte("b")); err != nil {
		return err
	}
	attach := func(test bool) (*plugin.Client, error) {
		second := plugin.NewClient(grpcReattach(p, test))
		rpc, err := second.Client()
		if err != nil {
			return nil, err
		}
		if err := rpc.Ping(); err != nil {
			return nil, err
		}
		raw, err := rpc.Dispense("kv")
		if err != nil {
			return nil, err
		}
		return second, holds(raw.(*grpcConn), "a", "b")
	}
	second, err := attach(true)
	if err != nil {
		return err
	}
	second.Kill()
	if err := holds(c, "a", "b"); err != nil {
		return fmt.Errorf("after the Kill in test mode: %w", err)
	}
	addr := p.addr()
	if second, err = attach(false); err != nil {
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
}
