package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/hashicorp/yamux"
)

// What the first byte of a stream asks for. The server in TypeScript (bench/yamux/server.ts) knows the same.
const (
	doEcho       = 'E' // send back everything, then end
	doSink       = 'U' // read to the end, answer with the count (u64)
	doSource     = 'D' // a length (u64) follows: send as many bytes
	doHash       = 'H' // read to the end, answer with the SHA-256
	doIdle       = 'I' // neither read nor end
	doTalk       = 'T' // end at once in this direction, after "bye", then read on to the end
	doGoAway     = 'G' // send GoAway, answer "ok"
	doClose      = 'C' // close the session
	doOpen       = 'O' // a count (u64) follows: open as many streams with 'E', and echo 5 bytes over each; answer "ok"
	doPing       = 'P' // ping the peer, answer "ok"
	doNotAccept  = 'N' // accept no more streams, answer "ok"
	doCloseAfter = 'B' // send 256 KiB, then close the session
)

var block = make([]byte, 256*1024)

func init() {
	for i := range block {
		block[i] = byte(i * 31)
	}
}

type served struct {
	session *yamux.Session
	stop    chan struct{}
	once    sync.Once
}

func serveSession(conn net.Conn) {
	s, err := session(conn, "server")
	if err != nil {
		fmt.Println("ERROR", err)
		return
	}
	v := &served{session: s, stop: make(chan struct{})}
	for {
		stream, err := s.AcceptStream()
		if err != nil {
			fmt.Println("SESSION END", err)
			return
		}
		go v.serve(stream)
		select {
		case <-v.stop:
			<-s.CloseChan()
			return
		default:
		}
	}
}

func (v *served) serve(stream *yamux.Stream) {
	if err := v.do(stream); err != nil {
		fmt.Println("STREAM", stream.StreamID(), err)
	}
}

func number(stream *yamux.Stream) (uint64, error) {
	var b [8]byte
	if _, err := io.ReadFull(stream, b[:]); err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(b[:]), nil
}

func (v *served) do(stream *yamux.Stream) error {
	var what [1]byte
	if _, err := io.ReadFull(stream, what[:]); err != nil {
		stream.Close()
		if err == io.EOF {
			return nil
		}
		return err
	}
	if what[0] == doIdle {
		return nil
	}
	defer stream.Close()
	switch what[0] {
	case doEcho:
		buf := make([]byte, 64*1024)
		_, err := io.CopyBuffer(struct{ io.Writer }{stream}, struct{ io.Reader }{stream}, buf)
		return err
	case doSink:
		buf := make([]byte, 256*1024)
		n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{stream}, buf)
		if err != nil {
			return err
		}
		return binary.Write(stream, binary.BigEndian, uint64(n))
	case doSource:
		n, err := number(stream)
		for n > 0 && err == nil {
			part := min(n, 64*1024)
			_, err = stream.Write(block[:part])
			n -= part
		}
		return err
	case doHash:
		h := sha256.New()
		if _, err := io.Copy(h, stream); err != nil {
			return err
		}
		_, err := stream.Write(h.Sum(nil))
		return err
	case doTalk:
		if _, err := stream.Write([]byte("bye")); err != nil {
			return err
		}
		if err := stream.Close(); err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, stream)
		fmt.Println("HEARD", n, err)
		return nil
	case doGoAway:
		if err := v.session.GoAway(); err != nil {
			return err
		}
		_, err := stream.Write([]byte("ok"))
		return err
	case doClose:
		return v.session.Close()
	case doCloseAfter:
		if _, err := stream.Write(block); err != nil {
			return err
		}
		return v.session.Close()
	case doOpen:
		n, err := number(stream)
		if err != nil {
			return err
		}
		if err := openMany(v.session, int(n)); err != nil {
			return err
		}
		_, err = stream.Write([]byte("ok"))
		return err
	case doPing:
		if _, err := v.session.Ping(); err != nil {
			return err
		}
		_, err := stream.Write([]byte("ok"))
		return err
	case doNotAccept:
		v.once.Do(func() { close(v.stop) })
		_, err := stream.Write([]byte("ok"))
		return err
	}
	return fmt.Errorf("unknown request %q", what[0])
}

// openMany opens n streams at once and has five bytes echoed over each.
func openMany(s *yamux.Session, n int) error {
	errs := make(chan error, n)
	for i := 0; i < n; i++ {
		go func() { errs <- echoOnce(s, []byte("hello")) }()
	}
	for i := 0; i < n; i++ {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

func echoOnce(s *yamux.Session, message []byte) error {
	stream, err := s.OpenStream()
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer stream.Close()
	if _, err := stream.Write(append([]byte{doEcho}, message...)); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	back := make([]byte, len(message))
	if _, err := io.ReadFull(stream, back); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if string(back) != string(message) {
		return fmt.Errorf("sent %q, got %q", message, back)
	}
	return nil
}
