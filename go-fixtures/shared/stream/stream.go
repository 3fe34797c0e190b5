// Package stream is the plugin "stream": raw bytes over brokered connections.
//
// Wire service (net/rpc service name "Plugin"); the connections carry nothing
// but the bytes, and a side that has no more to say closes its direction:
//
//	Source(Args{Id uint32, Bytes int64}) int64
//	    dials the host's id, writes that many bytes of the pattern, closes; answers the number
//	Sink(Args{Id uint32}) SinkReply{Bytes int64, SHA256 string}
//	    dials the host's id and reads to the end; answers the number of bytes and their hash in hex
//	Mirror(Args{Id uint32}) int64
//	    dials the host's id, sends back what comes until its end, then closes; answers the number
//	ReadAsking(Args{Id uint32, Bytes int64}) SinkReply
//	    dials the host's id and reads as Mattermost's connectIOReader does, asking with a varint, until the end, or
//	    until it has that many bytes (if more than 0); answers the number of bytes and their hash in hex
//	ServeAsked(Args{Id uint32, Bytes int64}) int64
//	    dials the host's id and serves that many bytes of the pattern as Mattermost's serveIOReader does; answers
//	    the number of bytes that were taken
//	Offer(nil) uint32
//	    answers a fresh id of the plugin's, on which one connection is accepted and mirrored
//
// The pattern: byte i is (i*31 + 7) & 0xff.
package stream

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"net/rpc"

	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/pattern"
)

// Name is what hosts dispense.
const Name = "stream"

type (
	Args struct {
		Id    uint32
		Bytes int64
	}
	SinkReply struct {
		Bytes  int64
		SHA256 string
	}
)

// Plugin joins the service to net/rpc.
type Plugin struct{}

// Server returns the receiver that the plugin serves.
func (*Plugin) Server(broker *plugin.MuxBroker) (any, error) { return &server{broker}, nil }

// Client returns a *Client that calls over c.
func (*Plugin) Client(broker *plugin.MuxBroker, c *rpc.Client) (any, error) {
	return &Client{c, broker}, nil
}

// Client is the host's side.
type Client struct {
	RPC    *rpc.Client
	Broker *plugin.MuxBroker
}

type server struct{ broker *plugin.MuxBroker }

func (s *server) on(id uint32, use func(net.Conn) error) error {
	conn, err := s.broker.Dial(id)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return use(conn)
}

func (s *server) Source(args Args, reply *int64) error {
	return s.on(args.Id, func(c net.Conn) error {
		n, err := pattern.WriteTo(c, int(args.Bytes))
		*reply = int64(n)
		return err
	})
}

func (s *server) Sink(args Args, reply *SinkReply) error {
	return s.on(args.Id, func(c net.Conn) error {
		hash := sha256.New()
		n, err := io.Copy(hash, c)
		*reply = SinkReply{n, hex.EncodeToString(hash.Sum(nil))}
		return err
	})
}

func (s *server) Mirror(args Args, reply *int64) error {
	return s.on(args.Id, func(c net.Conn) (err error) {
		*reply, err = io.Copy(c, c)
		return err
	})
}

// RemoteReader asks for what it reads: remoteIOReader of Mattermost's server/public/plugin/io_rpc.go.
type RemoteReader struct{ Conn io.ReadWriter }

func (r RemoteReader) Read(b []byte) (int, error) {
	var buf [10]byte
	n := binary.PutVarint(buf[:], int64(len(b)))
	if _, err := r.Conn.Write(buf[:n]); err != nil {
		return 0, err
	}
	return r.Conn.Read(b)
}

// ServeReader answers what a RemoteReader asks for: serveIOReader of the same file.
func ServeReader(r io.Reader, conn io.ReadWriteCloser) {
	cr := bufio.NewReader(conn)
	defer func() { _ = conn.Close() }()
	buf := make([]byte, 32*1024)
	for {
		n, err := binary.ReadVarint(cr)
		if err != nil {
			break
		}
		if written, err := io.CopyBuffer(conn, io.LimitReader(r, n), buf); err != nil || written < n {
			break
		}
	}
}

func (s *server) ReadAsking(args Args, reply *SinkReply) error {
	return s.on(args.Id, func(c net.Conn) error {
		hash := sha256.New()
		var r io.Reader = RemoteReader{c}
		if args.Bytes > 0 {
			r = io.LimitReader(r, args.Bytes)
		}
		n, err := io.Copy(hash, r)
		*reply = SinkReply{n, hex.EncodeToString(hash.Sum(nil))}
		return err
	})
}

func (s *server) ServeAsked(args Args, reply *int64) error {
	return s.on(args.Id, func(c net.Conn) error {
		source := &counting{r: bytes.NewReader(pattern.Bytes(int(args.Bytes)))}
		ServeReader(source, c)
		*reply = source.n
		return nil
	})
}

type counting struct {
	r io.Reader
	n int64
}

func (c *counting) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

func (s *server) Offer(_ any, reply *uint32) error {
	id := s.broker.NextId()
	*reply = id
	go func() {
		conn, err := s.broker.Accept(id)
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.Copy(conn, conn)
	}()
	return nil
}
