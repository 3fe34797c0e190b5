package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"example.com/goplug/fixtures/shared/pattern"
)

// A fault is done to a second connection of a plugin that a real host uses: the
// host must not notice, and the plugin must end cleanly afterwards.
func fault(scope, name, about string, do func(addr net.Addr) error) {
	add(scope, "any", "fault-"+name, about, func(h *harness) error {
		p, err := h.start(nil)
		if err != nil {
			return err
		}
		if err := do(p.addr()); err != nil {
			return err
		}
		if err := p.rpc.Ping(); err != nil {
			return fmt.Errorf("the host's connection: %w", err)
		}
		if err := p.greet(); err != nil {
			return fmt.Errorf("the host's connection: %w", err)
		}
		return p.quit()
	})
}

func init() {
	fault("all", "hang-up", "20 connections that are closed at once", func(addr net.Addr) error {
		for range 20 {
			c, err := dialPlain(addr)
			if err != nil {
				return err
			}
			_ = c.Close()
		}
		return nil
	})
	fault("all", "no-yamux", "bytes that are not yamux: the plugin closes that connection", func(addr net.Addr) error {
		c, err := dialPlain(addr)
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		if _, err := c.Write(pattern.Bytes(4096)); err != nil {
			return nil // closed while we were writing
		}
		return closedByPeer(c, 10*time.Second)
	})
	fault("all", "silent", "a connection that says nothing", func(addr net.Addr) error {
		c, err := dialPlain(addr)
		if err != nil {
			return err
		}
		time.Sleep(300 * time.Millisecond)
		return c.Close()
	})
	fault("all", "one-stream", "a client that opens the first of the three streams only, and goes", func(addr net.Addr) error {
		r, err := dialYamux(addr)
		if err != nil {
			return err
		}
		defer func() { _ = r.session.Close() }()
		s, err := r.session.Open()
		if err != nil {
			return err
		}
		if _, err := s.Write([]byte{3}); err != nil {
			return err
		}
		time.Sleep(300 * time.Millisecond)
		return nil
	})
	fault("all", "control-garbage", "garbage on the control stream: the plugin closes it without an answer", func(addr net.Addr) error {
		r, err := dialYamux(addr)
		if err != nil {
			return err
		}
		defer func() { _ = r.session.Close() }()
		var control net.Conn
		for i := range 3 {
			s, err := r.session.Open()
			if err != nil {
				return err
			}
			if i == 0 {
				control = s
			}
		}
		if _, err := control.Write(pattern.Bytes(1024)); err != nil {
			return nil
		}
		return closedByPeer(control, 10*time.Second)
	})
	brokered("all", "half-id", "half a broker id, then the end of the stream", false, func(s net.Conn) error {
		if _, err := s.Write([]byte{1, 0}); err != nil {
			return err
		}
		return s.Close()
	})
	brokered("all", "no-id", "a brokered stream that ends without an id", false, func(s net.Conn) error { return s.Close() })
	brokered("all", "wrong-id", "a broker id that nobody accepts: closed after 5 s, others served meanwhile", true, func(s net.Conn) error {
		return binary.Write(s, binary.LittleEndian, uint32(77777))
	})
	brokered("ts", "silent-stream", "a brokered stream that never says an id, others served meanwhile", false, func(net.Conn) error { return nil })
	fault("all", "method-garbage", "garbage on a dispensed connection: closed without an answer, the control stream lives", func(addr net.Addr) error {
		r, err := dialRaw(addr)
		if err != nil {
			return err
		}
		defer func() { _ = r.session.Close() }()
		s, err := openDispensed(r)
		if err != nil {
			return err
		}
		if _, err := s.Write(pattern.Bytes(1024)); err == nil {
			if err := closedByPeer(s, 10*time.Second); err != nil {
				return err
			}
		}
		var nothing struct{}
		return r.call("Control.Ping", true, &nothing)
	})
	fault("all", "undialled", "50 dispensed services that nobody dials", func(addr net.Addr) error {
		r, err := dialRaw(addr)
		if err != nil {
			return err
		}
		defer func() { _ = r.session.Close() }()
		for range 50 {
			if _, err := dispenseID(r); err != nil {
				return err
			}
		}
		return nil
	})
}

// brokered opens a stream of a second connection, does the fault to it, and
// checks that the same connection still dispenses; with closes, that the plugin
// ends the stream by itself.
func brokered(scope, name, about string, closes bool, do func(net.Conn) error) {
	fault(scope, "broker-"+name, about, func(addr net.Addr) error {
		r, err := dialRaw(addr)
		if err != nil {
			return err
		}
		defer func() { _ = r.session.Close() }()
		s, err := r.session.Open()
		if err != nil {
			return err
		}
		if err := do(s); err != nil {
			return err
		}
		other, err := openDispensed(r)
		if err != nil {
			return fmt.Errorf("the same connection: %w", err)
		}
		_ = other.Close()
		if closes {
			return closedByPeer(s, 10*time.Second)
		}
		return nil
	})
}

// dispenseID asks for a service that the plugin has.
func dispenseID(r *rawConn) (id uint32, err error) {
	for name := range pluginSet {
		if err = r.call("Dispenser.Dispense", name, &id); err == nil {
			return id, nil
		}
	}
	return 0, err
}

// openDispensed is what go-plugin's Dispense does.
func openDispensed(r *rawConn) (net.Conn, error) {
	id, err := dispenseID(r)
	if err != nil {
		return nil, err
	}
	s, err := r.session.Open()
	if err != nil {
		return nil, err
	}
	if err := binary.Write(s, binary.LittleEndian, id); err != nil {
		return nil, err
	}
	if err := s.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	var ack [4]byte
	if _, err := io.ReadFull(s, ack[:]); err != nil {
		return nil, fmt.Errorf("no acknowledgement of id %d: %w", id, err)
	}
	if got := binary.LittleEndian.Uint32(ack[:]); got != id {
		return nil, fmt.Errorf("bad ack: %d (expected %d)", got, id)
	}
	return s, s.SetReadDeadline(time.Time{})
}
