package main

import (
	"bufio"
	"encoding/gob"
	"net"
	"net/rpc"
	"slices"

	"example.com/goplug/fixtures/shared/pattern"
)

// oddConn is the server's end of a connection, by hand. Every request is taken
// for Arith.Add.
type oddConn struct {
	net.Conn
	out *bufio.Writer
	enc *gob.Encoder
	dec *gob.Decoder
}

func newOddConn(c net.Conn) *oddConn {
	out := bufio.NewWriter(c)
	return &oddConn{c, out, gob.NewEncoder(out), gob.NewDecoder(c)}
}

type oddRequest struct {
	head rpc.Request
	args Args
}

func (c *oddConn) next() (r oddRequest, ok bool) {
	for {
		if c.dec.Decode(&r.head) != nil {
			return r, false
		}
		// A call that was given up: like Go's own server these have no such service, and drop what it says.
		if r.head.ServiceMethod != "Goplug.Cancel" {
			return r, c.dec.Decode(&r.args) == nil
		}
		if c.dec.Decode(nil) != nil {
			return r, false
		}
	}
}

// answer sends a header and, if it is not nil, a body.
func (c *oddConn) answer(head rpc.Response, body any) {
	_ = c.enc.Encode(head)
	if body != nil {
		_ = c.enc.Encode(body)
	}
	_ = c.out.Flush()
}

func (c *oddConn) right(r oddRequest) {
	c.answer(rpc.Response{ServiceMethod: r.head.ServiceMethod, Seq: r.head.Seq}, Reply{r.args.A + r.args.B})
}

// each gives every request to f until the client hangs up.
func (c *oddConn) each(f func(oddRequest)) {
	for r, ok := c.next(); ok; r, ok = c.next() {
		f(r)
	}
}

type oddMode struct {
	about  string
	handle func(*oddConn)
}

func oddNames() []string {
	var names []string
	for name := range odd {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

var odd = map[string]oddMode{
	"plain": {"every request is answered as by Arith.Add", func(c *oddConn) { c.each(c.right) }},
	"silent": {"nothing is ever answered", func(c *oddConn) {
		c.each(func(oddRequest) {})
	}},
	"close-at-once": {"the connection is closed at once", func(*oddConn) {}},
	"close-in-call": {"the connection is closed when 3 requests have come", func(c *oddConn) {
		for range 3 {
			c.next()
		}
	}},
	"unknown-seq": {"an answer with Seq 9999 and a string as body goes before every right answer", func(c *oddConn) {
		c.each(func(r oddRequest) {
			c.answer(rpc.Response{ServiceMethod: "Nobody.Asked", Seq: 9999}, "nobody asked")
			c.right(r)
		})
	}},
	"unknown-seq-error": {"the same with an error and the empty body of errors", func(c *oddConn) {
		c.each(func(r oddRequest) {
			c.answer(rpc.Response{ServiceMethod: "Nobody.Asked", Seq: 9999, Error: "nobody asked"}, struct{}{})
			c.right(r)
		})
	}},
	"twice": {"every answer comes twice", func(c *oddConn) {
		c.each(func(r oddRequest) { c.right(r); c.right(r) })
	}},
	"reversed": {"10 requests are collected, then answered from the last to the first", func(c *oddConn) {
		var held []oddRequest
		c.each(func(r oddRequest) {
			if held = append(held, r); len(held) == 10 {
				slices.Reverse(held)
				for _, r := range held {
					c.right(r)
				}
				held = nil
			}
		})
	}},
	"wrong-body": {"the body is a string", func(c *oddConn) {
		c.each(func(r oddRequest) {
			c.answer(rpc.Response{ServiceMethod: r.head.ServiceMethod, Seq: r.head.Seq}, "no Reply")
		})
	}},
	"error-with-body": {"the error \"odd error\", with a whole Reply as body", func(c *oddConn) {
		c.each(func(r oddRequest) {
			c.answer(rpc.Response{ServiceMethod: r.head.ServiceMethod, Seq: r.head.Seq, Error: "odd error"}, Reply{1})
		})
	}},
	"wrong-method": {"the answer names another method", func(c *oddConn) {
		c.each(func(r oddRequest) {
			c.answer(rpc.Response{ServiceMethod: "Some.Thing", Seq: r.head.Seq}, Reply{r.args.A + r.args.B})
		})
	}},
	"header-only": {"the header of an answer, then the end", func(c *oddConn) {
		if r, ok := c.next(); ok {
			c.answer(rpc.Response{ServiceMethod: r.head.ServiceMethod, Seq: r.head.Seq}, nil)
		}
	}},
	"half-body": {"the header and a part of the body, then the end", func(c *oddConn) {
		if r, ok := c.next(); ok {
			c.answer(rpc.Response{ServiceMethod: r.head.ServiceMethod, Seq: r.head.Seq}, nil)
			_, _ = c.Write([]byte{0x20, 0xff, 0x85}) // a message of 32 bytes of which 2 come
		}
	}},
	"half-header": {"a part of the header, then the end", func(c *oddConn) {
		if _, ok := c.next(); ok {
			_, _ = c.Write([]byte{0x35, 0xff, 0x81, 0x03})
		}
	}},
	"garbage": {"bytes that are not gob", func(c *oddConn) {
		c.each(func(oddRequest) { _, _ = c.Write(pattern.Bytes(256)) })
	}},
	"huge-length": {"a message that claims 2 GiB", func(c *oddConn) {
		c.each(func(oddRequest) { _, _ = c.Write([]byte{0xfc, 0x7f, 0xff, 0xff, 0xff, 0x00}) })
	}},
	"empty-error-body": {"the error \"odd error\", with the struct{} that Go sends", func(c *oddConn) {
		c.each(func(r oddRequest) {
			c.answer(rpc.Response{ServiceMethod: r.head.ServiceMethod, Seq: r.head.Seq, Error: "odd error"}, struct{}{})
		})
	}},
	"trickle": {"right answers, a byte a write", func(c *oddConn) {
		c.enc = gob.NewEncoder(trickle{c.Conn})
		c.each(c.right)
	}},
}

type trickle struct{ c net.Conn }

func (t trickle) Write(p []byte) (int, error) {
	for i := range p {
		if _, err := t.c.Write(p[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(p), nil
}
