package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

// bench prints how much of one thing went through per second: bytes, round trips, or streams.
func bench(kind string, n int) error {
	conn, err := dial()
	if err != nil {
		return err
	}
	s, err := session(conn, "client")
	if err != nil {
		return err
	}
	defer s.Close()
	started := time.Now()
	switch kind {
	case "up":
		err = benchUp(s, 10*n)
		started = time.Now()
		if err == nil {
			err = benchUp(s, n)
		}
	case "down":
		err = benchDown(s, 10*n)
		started = time.Now()
		if err == nil {
			err = benchDown(s, n)
		}
	case "rtt":
		err = benchEcho(s, n/10)
		started = time.Now()
		if err == nil {
			err = benchEcho(s, n)
		}
	case "messages":
		err = parallel(100, func() error { return benchEcho(s, n/1000) })
		started = time.Now()
		if err == nil {
			err = parallel(100, func() error { return benchEcho(s, n/100) })
		}
	case "open_close":
		err = benchOpenClose(s, n/10)
		started = time.Now()
		if err == nil {
			err = benchOpenClose(s, n)
		}
	case "open_close32":
		err = parallel(32, func() error { return benchOpenClose(s, n/320) })
		started = time.Now()
		if err == nil {
			err = parallel(32, func() error { return benchOpenClose(s, n/32) })
		}
	default:
		err = fmt.Errorf("unknown benchmark %q", kind)
	}
	if err != nil {
		return err
	}
	fmt.Println(float64(n) / time.Since(started).Seconds())
	return nil
}

func parallel(n int, f func() error) error {
	var wg sync.WaitGroup
	errs := make(chan error, n)
	for i := 0; i < n; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := f(); err != nil {
				errs <- err
			}
		}()
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

func benchUp(s *yamux.Session, size int) error {
	stream, err := ask(s, doSink)
	if err != nil {
		return err
	}
	for left := size; left > 0; {
		n, err := stream.Write(block[:min(left, 64*1024)])
		if err != nil {
			return err
		}
		left -= n
	}
	if err := stream.Close(); err != nil {
		return err
	}
	var count [8]byte
	if _, err := io.ReadFull(stream, count[:]); err != nil {
		return err
	}
	if got := binary.BigEndian.Uint64(count[:]); got != uint64(size) {
		return fmt.Errorf("the server counted %d", got)
	}
	return nil
}

func benchDown(s *yamux.Session, size int) error {
	stream, err := ask(s, doSource)
	if err != nil {
		return err
	}
	if err := binary.Write(stream, binary.BigEndian, uint64(size)); err != nil {
		return err
	}
	buf := make([]byte, 256*1024)
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{stream}, buf)
	if err == nil && n != int64(size) {
		err = fmt.Errorf("got %d bytes", n)
	}
	stream.Close()
	return err
}

func benchEcho(s *yamux.Session, rounds int) error {
	stream, err := ask(s, doEcho)
	if err != nil {
		return err
	}
	defer stream.Close()
	message := make([]byte, 64)
	for i := 0; i < rounds; i++ {
		if _, err := stream.Write(message); err != nil {
			return err
		}
		if _, err := io.ReadFull(stream, message); err != nil {
			return err
		}
	}
	return nil
}

func benchOpenClose(s *yamux.Session, rounds int) error {
	var b [1]byte
	for i := 0; i < rounds; i++ {
		stream, err := s.OpenStream()
		if err != nil {
			return err
		}
		if err := stream.Close(); err != nil {
			return err
		}
		if _, err := stream.Read(b[:]); err != io.EOF {
			return fmt.Errorf("read: %v", err)
		}
	}
	return nil
}
