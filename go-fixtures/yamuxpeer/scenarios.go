package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net"
	"time"

	"github.com/hashicorp/yamux"
)

var scenarios = map[string]func(*yamux.Session) error{
	"echo": func(s *yamux.Session) error {
		message := make([]byte, 100_000)
		rand.New(rand.NewSource(1)).Read(message)
		stream, err := ask(s, doEcho)
		if err != nil {
			return err
		}
		go func() {
			_, _ = stream.Write(message)
			_ = stream.Close()
		}()
		back, err := io.ReadAll(stream)
		if err == nil && !bytes.Equal(back, message) {
			err = fmt.Errorf("the echo differs: %d bytes", len(back))
		}
		return err
	},
	"bulk": func(s *yamux.Session) error {
		errs := make(chan error, 16)
		for i := 0; i < 16; i++ {
			go func() { errs <- hashOf(s, int64(i), 4<<20) }()
		}
		for i := 0; i < 16; i++ {
			if err := <-errs; err != nil {
				return err
			}
		}
		return nil
	},
	"source": func(s *yamux.Session) error {
		const size = 20 << 20
		stream, err := ask(s, doSource)
		if err != nil {
			return err
		}
		if err := binary.Write(stream, binary.BigEndian, uint64(size)); err != nil {
			return err
		}
		// Slowly at first: the window has to hold the other side back.
		time.Sleep(100 * time.Millisecond)
		n, err := io.Copy(io.Discard, stream)
		if err == nil && n != size {
			err = fmt.Errorf("got %d bytes", n)
		}
		return err
	},
	"half close": func(s *yamux.Session) error {
		stream, err := ask(s, doTalk)
		if err != nil {
			return err
		}
		got, err := io.ReadAll(stream)
		if err != nil || string(got) != "bye" {
			return fmt.Errorf("got %q, %v", got, err)
		}
		// The other direction is still open.
		for i := 0; i < 10; i++ {
			if _, err := stream.Write(block); err != nil {
				return fmt.Errorf("write after the peer's end: %w", err)
			}
		}
		if err := stream.Close(); err != nil {
			return err
		}
		return drained(s)
	},
	// The peer must acknowledge a stream even if no data flows; else the open timeout closes the session.
	"idle accept": func(s *yamux.Session) error {
		stream, err := s.OpenStream()
		if err != nil {
			return err
		}
		time.Sleep(2 * *openTimeout)
		if s.IsClosed() {
			return errors.New("the session was closed: no ACK")
		}
		if err := stream.Close(); err != nil {
			return err
		}
		return drained(s)
	},
	"keepalive": func(s *yamux.Session) error {
		time.Sleep(20 * *keepalive)
		if s.IsClosed() {
			return errors.New("the session was closed")
		}
		return echoOnce(s, []byte("still there"))
	},
	"ping": func(s *yamux.Session) error {
		for i := 0; i < 50; i++ {
			if rtt, err := s.Ping(); err != nil || rtt == 0 {
				return fmt.Errorf("ping %d: %v %v", i, rtt, err)
			}
		}
		return nil
	},
	"flood": func(s *yamux.Session) error { return openMany(s, 1000) },
	"go away": func(s *yamux.Session) error {
		stream, err := ask(s, doGoAway)
		if err != nil {
			return err
		}
		got, err := io.ReadAll(stream)
		if err != nil || string(got) != "ok" {
			return fmt.Errorf("got %q, %v", got, err)
		}
		if _, err := s.OpenStream(); !errors.Is(err, yamux.ErrRemoteGoAway) {
			return fmt.Errorf("open after GoAway: %v", err)
		}
		return nil
	},
	"session close": func(s *yamux.Session) error {
		stream, err := ask(s, doCloseAfter)
		if err != nil {
			return err
		}
		got, err := io.ReadAll(stream)
		if err != nil || !bytes.Equal(got, block) {
			return fmt.Errorf("got %d bytes, %v", len(got), err)
		}
		select {
		case <-s.CloseChan():
			return nil
		case <-time.After(10 * time.Second):
			return errors.New("the session did not end")
		}
	},
	"open many": func(s *yamux.Session) error {
		go serveStreams(s)
		stream, err := ask(s, doOpen)
		if err != nil {
			return err
		}
		if err := binary.Write(stream, binary.BigEndian, uint64(400)); err != nil {
			return err
		}
		var ok [2]byte
		_, err = io.ReadFull(stream, ok[:])
		return err
	},
	"never reads": func(s *yamux.Session) error {
		stream, err := ask(s, doIdle)
		if err != nil {
			return err
		}
		// The window, less the byte that asked.
		if err := stream.SetWriteDeadline(time.Now().Add(1500 * time.Millisecond)); err != nil {
			return err
		}
		n, err := stream.Write(make([]byte, 1<<20))
		if !errors.Is(err, yamux.ErrTimeout) || n != int(256*1024)-1 {
			return fmt.Errorf("wrote %d bytes, %v", n, err)
		}
		return echoOnce(s, []byte("others go on"))
	},
	"close timeout": func(s *yamux.Session) error {
		stream, err := ask(s, doIdle)
		if err != nil {
			return err
		}
		if err := stream.Close(); err != nil {
			return err
		}
		return drained(s)
	},
	"open close": func(s *yamux.Session) error {
		for i := 0; i < 2000; i++ {
			stream, err := s.OpenStream()
			if err != nil {
				return err
			}
			if err := stream.Close(); err != nil {
				return err
			}
			if _, err := stream.Read(make([]byte, 1)); err != io.EOF {
				return fmt.Errorf("read: %v", err)
			}
		}
		return drained(s)
	},
}

func ask(s *yamux.Session, what byte) (*yamux.Stream, error) {
	stream, err := s.OpenStream()
	if err != nil {
		return nil, err
	}
	_, err = stream.Write([]byte{what})
	return stream, err
}

func serveStreams(s *yamux.Session) {
	v := &served{session: s, stop: make(chan struct{})}
	for {
		stream, err := s.AcceptStream()
		if err != nil {
			return
		}
		go v.serve(stream)
	}
}

func hashOf(s *yamux.Session, seed int64, size int) error {
	message := make([]byte, size)
	rand.New(rand.NewSource(seed)).Read(message)
	stream, err := ask(s, doHash)
	if err != nil {
		return err
	}
	if _, err := stream.Write(message); err != nil {
		return err
	}
	if err := stream.Close(); err != nil {
		return err
	}
	got, err := io.ReadAll(stream)
	want := sha256.Sum256(message)
	if err == nil && !bytes.Equal(got, want[:]) {
		err = fmt.Errorf("hash of stream %d differs", stream.StreamID())
	}
	return err
}

// drained waits until no stream is left.
func drained(s *yamux.Session) error {
	for i := 0; i < 500; i++ {
		if s.NumStreams() == 0 {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("%d streams left", s.NumStreams())
}

// A raw scenario sends frames by hand and says what must come back before the connection ends, if it must end.
type raw struct {
	send []byte
	want []byte
	ends bool
}

func frame(kind byte, flags uint16, id, length uint32, payload ...byte) []byte {
	h := make([]byte, 12, 12+len(payload))
	h[1] = kind
	binary.BigEndian.PutUint16(h[2:], flags)
	binary.BigEndian.PutUint32(h[4:], id)
	binary.BigEndian.PutUint32(h[8:], length)
	return append(h, payload...)
}

var raws = map[string]raw{
	"raw syn fin with payload": {
		send: frame(0, 1|4, 1, 3, 'E', 'h', 'i'),
		want: bytes.Join([][]byte{frame(1, 2, 1, 0), frame(0, 0, 1, 2, 'h', 'i'), frame(1, 4, 1, 0)}, nil),
	},
	"raw duplicate syn": {
		send: append(frame(1, 1, 1, 0), frame(1, 1, 1, 0)...),
		want: append(frame(1, 2, 1, 0), frame(3, 0, 0, 1)...), ends: true,
	},
	"raw ping": {send: frame(2, 1, 0, 77), want: frame(2, 2, 0, 77)},
}

func playRaw(r raw) error {
	conn, err := dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Write(r.send); err != nil {
		return err
	}
	got := make([]byte, len(r.want))
	if n, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, r.want) {
		return fmt.Errorf("want % x, got % x, %v", r.want, got[:n], err)
	}
	if r.ends {
		if n, err := conn.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			return fmt.Errorf("the connection goes on: %d %v", n, err)
		}
	}
	return nil
}

func run(name string) error {
	if r, ok := raws[name]; ok {
		return playRaw(r)
	}
	scenario, ok := scenarios[name]
	if !ok {
		return fmt.Errorf("unknown scenario %q", name)
	}
	conn, err := dial()
	if err != nil {
		return err
	}
	return play(conn, scenario)
}

func play(conn net.Conn, scenario func(*yamux.Session) error) error {
	s, err := session(conn, "client")
	if err != nil {
		return err
	}
	if err := scenario(s); err != nil {
		return err
	}
	return s.Close()
}
