package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc/codes"

	"example.com/goplug/fixtures/shared/fixturepb"
	"example.com/goplug/fixtures/shared/pattern"
)

const grpcStreamSize = 4 << 20

func init() {
	for _, v := range variants {
		addGRPC("all", "kv", "stream-source"+v.suffix, "a server stream of 4 MiB in chunks of 64 KiB, and one in 5000 chunks of 7 bytes"+v.about,
			func(h *harness) error {
				return withGRPC(h, v, func(_ *peer, c *grpcConn) error {
					if err := source(c, grpcStreamSize, 0); err != nil {
						return err
					}
					return source(c, 35000, 7)
				})
			})
		addGRPC("all", "kv", "stream-sink"+v.suffix, "a client stream of 4 MiB, and an empty one"+v.about, func(h *harness) error {
			return withGRPC(h, v, func(_ *peer, c *grpcConn) error {
				if err := sink(c, grpcStreamSize); err != nil {
					return err
				}
				return sink(c, 0)
			})
		})
		addGRPC("all", "kv", "stream-mirror"+v.suffix, "a stream of 4 MiB in both directions at once, 8 of them at once"+v.about, func(h *harness) error {
			return withGRPC(h, v, func(_ *peer, c *grpcConn) error {
				return atOnce(8, func(int) error { return mirrored(c, grpcStreamSize) })
			})
		})
	}
	addGRPC("all", "kv", "stream-talk", "a stream in both directions, message by message: each answered before the next is sent", func(h *harness) error {
		return withGRPC(h, plain, func(_ *peer, c *grpcConn) error {
			ctx, cancel := soon()
			defer cancel()
			s, err := c.stream().Mirror(ctx)
			if err != nil {
				return err
			}
			for i := range 500 {
				want := fmt.Appendf(nil, "message %d", i)
				if err := s.Send(&fixturepb.Chunk{Data: want}); err != nil {
					return err
				}
				if got, err := s.Recv(); err != nil || !bytes.Equal(got.Data, want) {
					return fmt.Errorf("message %d: %q, %v", i, got.GetData(), err)
				}
			}
			if err := s.CloseSend(); err != nil {
				return err
			}
			if _, err := s.Recv(); !errors.Is(err, io.EOF) {
				return fmt.Errorf("the end is %v", err)
			}
			return nil
		})
	})
	addGRPC("all", "kv", "stream-fails", "a server stream that fails after 100,000 bytes: all of them, then the status", func(h *harness) error {
		return withGRPC(h, plain, func(_ *peer, c *grpcConn) error {
			ctx, cancel := soon()
			defer cancel()
			s, err := c.stream().Source(ctx, &fixturepb.SourceRequest{Bytes: 100000, Chunk: 1000, Code: int32(codes.DataLoss), Text: "too late"})
			if err != nil {
				return err
			}
			got, err := received(s.Recv)
			if err := wantStatus(err, codes.DataLoss, "too late"); err != nil {
				return err
			}
			return pattern.Check(got, 100000)
		})
	})
	addGRPC("all", "kv", "stream-cancelled", "20 server streams cancelled in their midst, and the connection lives", func(h *harness) error {
		return withGRPC(h, plain, func(_ *peer, c *grpcConn) error {
			for range 20 {
				ctx, cancel := soon()
				s, err := c.stream().Source(ctx, &fixturepb.SourceRequest{Bytes: 1 << 30})
				if err == nil {
					_, err = s.Recv()
				}
				cancel()
				if err != nil {
					return err
				}
				if _, err := received(s.Recv); wantStatus(err, codes.Canceled, "") != nil {
					return fmt.Errorf("after the cancellation: %v", err)
				}
			}
			return put(c.kv(), "a", []byte("b"))
		})
	})
	addGRPC("all", "kv", "stream-slow-reader", "a server stream of 8 MiB that the host reads in pauses: nothing is lost, other calls are answered", func(h *harness) error {
		return withGRPC(h, plain, func(_ *peer, c *grpcConn) error {
			ctx, cancel := soon()
			defer cancel()
			s, err := c.stream().Source(ctx, &fixturepb.SourceRequest{Bytes: 8 << 20})
			if err != nil {
				return err
			}
			reads := 0
			got, err := received(func() (*fixturepb.Chunk, error) {
				if reads++; reads%16 == 0 {
					time.Sleep(20 * time.Millisecond)
					if err := put(c.kv(), "a", []byte("b")); err != nil {
						return nil, err
					}
				}
				return s.Recv()
			})
			if err != nil {
				return err
			}
			return pattern.Check(got, 8<<20)
		})
	})

	for _, v := range variants {
		addGRPC("all", "kv", "stdio"+v.suffix, "1 MiB on stdout and 1 MiB on stderr at once, synced byte for byte"+v.about, func(h *harness) error {
			return withGRPC(h, v, func(p *peer, c *grpcConn) error {
				err := atOnce(2, func(i int) error {
					if i == 0 {
						return number(c.tools().WriteStdout, stdioSize)
					}
					return number(c.tools().WriteStderr, stdioSize)
				})
				if err != nil {
					return err
				}
				if err := synced(p.stdout, stdioSize); err != nil {
					return fmt.Errorf("stdout: %w", err)
				}
				return synced(p.stderr, stdioSize)
			})
		})
	}
	addGRPC("all", "kv", "stdio-order", "5000 lines on each in turn: the order in each stream is kept", func(h *harness) error {
		return withGRPC(h, plain, func(p *peer, c *grpcConn) error {
			const n = 5000
			if err := number(c.tools().WriteLines, n); err != nil {
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
	addGRPC("all", "kv", "stdio-text", "text and bytes that are no text come as they are, each on its own stream", func(h *harness) error {
		return withGRPC(h, plain, func(p *peer, c *grpcConn) error {
			text := []byte("no newline, \x00, äöü 日本語 \xff\xfe\r\n\n end")
			if _, err := call(c.tools().Print, &fixturepb.Bytes{Data: text}); err != nil {
				return err
			}
			if err := same(p.stdout, text); err != nil {
				return err
			}
			if err := nothingOn(p.stderr); err != nil {
				return err
			}
			if _, err := call(c.tools().PrintErr, &fixturepb.Bytes{Data: text}); err != nil {
				return err
			}
			return same(p.stderr, text)
		})
	})
	addGRPC("all", "kv", "stdio-slow-host", "a host that reads slowly loses nothing", func(h *harness) error {
		slow := &slowWriter{}
		p, err := h.start(func(c *plugin.ClientConfig) {
			c.Plugins, c.AllowedProtocols, c.SyncStdout = grpcSet, []plugin.Protocol{plugin.ProtocolGRPC}, slow
		})
		if err != nil {
			return err
		}
		c, err := p.dispenseGRPC()
		if err != nil {
			return err
		}
		if err := number(c.tools().WriteStdout, 1<<17); err != nil {
			return err
		}
		if err := synced(&slow.buffer, 1<<17); err != nil {
			return err
		}
		return p.quit()
	})
	addGRPC("ts", "kv", "stdio-at-exit", "Kill right after 1 MiB on each: nothing of it is lost", func(h *harness) error {
		p, c, err := h.startGRPC(plain)
		if err != nil {
			return err
		}
		if err := number(c.tools().WriteStdout, stdioSize); err != nil {
			return err
		}
		if err := number(c.tools().WriteStderr, stdioSize); err != nil {
			return err
		}
		if err := p.quit(); err != nil {
			return err
		}
		if err := synced(p.stdout, stdioSize); err != nil {
			return fmt.Errorf("stdout: %w", err)
		}
		return synced(p.stderr, stdioSize)
	})
}

// received reads to the end; io.EOF is no error.
func received(recv func() (*fixturepb.Chunk, error)) ([]byte, error) {
	var all []byte
	for {
		chunk, err := recv()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, chunk.Data...)
	}
}

func source(c *grpcConn, n int64, chunk int32) error {
	ctx, cancel := soon()
	defer cancel()
	s, err := c.stream().Source(ctx, &fixturepb.SourceRequest{Bytes: n, Chunk: chunk})
	if err != nil {
		return err
	}
	got, err := received(s.Recv)
	if err != nil {
		return err
	}
	return pattern.Check(got, int(n))
}

// sendPattern sends n bytes in chunks of up to 64 KiB.
func sendPattern(send func(*fixturepb.Chunk) error, n int) error {
	for done := 0; done < n; {
		b := make([]byte, min(1<<16, n-done))
		pattern.Fill(b, done)
		if err := send(&fixturepb.Chunk{Data: b}); err != nil {
			return err
		}
		done += len(b)
	}
	return nil
}

func sink(c *grpcConn, n int) error {
	ctx, cancel := soon()
	defer cancel()
	s, err := c.stream().Sink(ctx)
	if err != nil {
		return err
	}
	if err := sendPattern(s.Send, n); err != nil {
		return err
	}
	reply, err := s.CloseAndRecv()
	if err != nil {
		return err
	}
	hash := sha256.Sum256(pattern.Bytes(n))
	if want := hex.EncodeToString(hash[:]); reply.Bytes != int64(n) || reply.Sha256 != want {
		return fmt.Errorf("%d bytes of hash %s instead of %d of %s", reply.Bytes, reply.Sha256, n, want)
	}
	return nil
}

func mirrored(c *grpcConn, n int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 25*time.Second)
	defer cancel()
	s, err := c.stream().Mirror(ctx)
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() {
		err := sendPattern(s.Send, n)
		if err == nil {
			err = s.CloseSend()
		}
		sent <- err
	}()
	got, err := received(s.Recv)
	if err != nil {
		return err
	}
	if err := <-sent; err != nil {
		return err
	}
	return pattern.Check(got, n)
}
