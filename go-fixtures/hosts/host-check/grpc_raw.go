package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"

	"example.com/goplug/fixtures/shared/countergrpc"
	"example.com/goplug/fixtures/shared/fixturepb"
)

// dialLaunched connects to a plugin that was launched without go-plugin; with
// mux the connection carries yamux, and the session's end is what end does.
func dialLaunched(addr net.Addr, mux bool) (c *grpcConn, end func(), err error) {
	c, session, err := dialSession(addr, mux)
	if err != nil {
		return nil, nil, err
	}
	return c, func() {
		_ = c.Close()
		if session != nil {
			_ = session.Close()
		}
	}, nil
}

func dialSession(addr net.Addr, mux bool) (*grpcConn, *yamux.Session, error) {
	if !mux {
		c, err := bareCopy(addr)
		return c, nil, err
	}
	conn, err := dialPlain(addr)
	if err != nil {
		return nil, nil, err
	}
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard
	session, err := yamux.Client(conn, config)
	if err != nil {
		return nil, nil, err
	}
	cc, err := dialBare(nil, func() (net.Conn, error) { return session.Open() })
	return &grpcConn{ClientConn: cc}, session, err
}

// brokerStream is GRPCBroker/StartStream by hand. Messages are written and read
// as prototext of plugin.ConnInfo, which go-plugin has registered.
type brokerStream struct{ grpc.ClientStream }

func newConnInfo() (proto.Message, error) {
	t, err := protoregistry.GlobalTypes.FindMessageByName("plugin.ConnInfo")
	if err != nil {
		return nil, err
	}
	return t.New().Interface(), nil
}

func (b *brokerStream) send(text string) error {
	m, err := newConnInfo()
	if err != nil {
		return err
	}
	if err := prototext.Unmarshal([]byte(text), m); err != nil {
		return err
	}
	return b.SendMsg(m)
}

// expect reads the next message, which must be this one.
func (b *brokerStream) expect(text string) error {
	got, err := newConnInfo()
	if err != nil {
		return err
	}
	want, err := newConnInfo()
	if err != nil {
		return err
	}
	if err := prototext.Unmarshal([]byte(text), want); err != nil {
		return err
	}
	return bounded(patience, "the broker's stream", func() error {
		if err := b.RecvMsg(got); err != nil {
			return err
		}
		if !proto.Equal(got, want) {
			return fmt.Errorf("the broker sends %v instead of %s", got, text)
		}
		return nil
	})
}

// rawBroker launches the counter, multiplexed or not, with a broker by hand.
func rawBroker(h *harness, mux bool, f func(*grpcConn, *brokerStream, *yamux.Session) error) error {
	env := slices.Clone(hostEnv)
	if mux {
		env = append(env, "PLUGIN_MULTIPLEX_GRPC=true")
	}
	p, err := h.launch(env...)
	if err != nil {
		return err
	}
	addr, err := p.addr()
	if err != nil {
		return err
	}
	c, session, err := dialSession(addr, mux)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), 25*time.Second)
	defer cancel()
	s, err := c.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/plugin.GRPCBroker/StartStream")
	if err != nil {
		return err
	}
	if err := f(c, &brokerStream{s}, session); err != nil {
		return err
	}
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
	return nil
}

func init() {
	addGRPC("all", "counter", "broker-bad-network", "connection info of an unknown network: `unknown address type: ADDRESS`, and the broker lives", func(h *harness) error {
		return rawBroker(h, false, func(c *grpcConn, b *brokerStream, _ *yamux.Session) error {
			if err := b.send(`service_id: 5 network: "carrier-pigeon" address: "the attic"`); err != nil {
				return err
			}
			if err := dialFails(c, 5, "unknown address type: the attic"); err != nil {
				return err
			}
			return announces(c, b)
		})
	})
	addGRPC("all", "counter", "broker-dead-address", "connection info of a socket that is not there: the call over it fails, and the broker lives", func(h *harness) error {
		return rawBroker(h, false, func(c *grpcConn, b *brokerStream, _ *yamux.Session) error {
			if err := b.send(`service_id: 5 network: "unix" address: "/nonexistent/socket"`); err != nil {
				return err
			}
			if err := dialFails(c, 5, ""); err != nil {
				return err
			}
			return announces(c, b)
		})
	})
	addGRPC("all", "counter", "broker-unasked", "100 announcements of ids that nobody dials, and a knock for one without multiplexing: the broker lives", func(h *harness) error {
		return rawBroker(h, false, func(c *grpcConn, b *brokerStream, _ *yamux.Session) error {
			for i := range 100 {
				if err := b.send(fmt.Sprintf(`service_id: %d network: "unix" address: "/nonexistent/socket"`, 1000+i)); err != nil {
					return err
				}
			}
			if err := b.send(`service_id: 2000 knock: {knock: true}`); err != nil {
				return err
			}
			return announces(c, b)
		})
	})
	addGRPC("all", "counter", "knock", "a knock is acknowledged, and the next stream is the helper of that id; so is the one after a second knock", func(h *harness) error {
		return rawBroker(h, true, func(c *grpcConn, b *brokerStream, session *yamux.Session) error {
			reply, err := call(fixturepb.NewCounterClient(c).Open, &fixturepb.CounterOpen{})
			if err != nil {
				return err
			}
			for range 2 {
				if err := b.send(fmt.Sprintf(`service_id: %d knock: {knock: true}`, reply.Id)); err != nil {
					return err
				}
				if err := b.expect(fmt.Sprintf(`service_id: %d knock: {knock: true ack: true}`, reply.Id)); err != nil {
					return err
				}
				if err := helperOn(session); err != nil {
					return err
				}
			}
			return nil
		})
	})
	addGRPC("all", "counter", "knock-refused", "the plugin knocks and is refused: the call over it is UNAVAILABLE, with `failed to knock for id N: TEXT`", func(h *harness) error {
		return rawBroker(h, true, func(c *grpcConn, b *brokerStream, _ *yamux.Session) error {
			return knocked(c, b, `service_id: 9 knock: {knock: true ack: true error: "not today"}`, "failed to knock for id 9: not today")
		})
	})
	addGRPC("all", "counter", "knock-odd", "the plugin knocks and gets an address instead of an acknowledgement: the call over it fails", func(h *harness) error {
		return rawBroker(h, true, func(c *grpcConn, b *brokerStream, _ *yamux.Session) error {
			return knocked(c, b, `service_id: 9 network: "unix" address: "/nonexistent/socket"`, "handshake failed for multiplexing on id 9")
		})
	})
	addGRPC("all", "counter", "knock-accepted", "the plugin knocks, is let in, and its stream carries gRPC to the host's helper", func(h *harness) error {
		return rawBroker(h, true, func(c *grpcConn, b *brokerStream, session *yamux.Session) error {
			called := make(chan error, 1)
			go func() {
				reply, err := call(fixturepb.NewCounterClient(c).Put, &fixturepb.CounterPut{AddServer: 9, Key: "k", Value: 42})
				if err == nil && reply.Value != 42 {
					err = fmt.Errorf("the sum is %d", reply.Value)
				}
				called <- err
			}()
			if err := b.expect(`service_id: 9 knock: {knock: true}`); err != nil {
				return err
			}
			if err := b.send(`service_id: 9 knock: {knock: true ack: true}`); err != nil {
				return err
			}
			server := grpc.NewServer()
			defer server.Stop()
			fixturepb.RegisterAddHelperServer(server, &countergrpc.Helper{Add: plainSum})
			go func() { _ = server.Serve(&oneStream{Session: session, closed: make(chan struct{})}) }()
			return bounded(patience, "Put", func() error { return <-called })
		})
	})
}

// oneStream accepts the next stream that the other side opens, and no other;
// its end leaves the session open.
type oneStream struct {
	*yamux.Session
	accepted bool
	once     sync.Once
	closed   chan struct{}
}

func (l *oneStream) Accept() (net.Conn, error) {
	if !l.accepted {
		l.accepted = true
		return l.Session.Accept()
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *oneStream) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// dialFails has the plugin dial the id.
func dialFails(c *grpcConn, id uint32, text string) error {
	reply, err := call(fixturepb.NewCounterClient(c).DialNobody, &fixturepb.BrokerId{Id: id})
	if err != nil {
		return err
	}
	if reply.Code == 0 || !strings.Contains(reply.Text, text) {
		return fmt.Errorf("the failure is %d %q", reply.Code, reply.Text)
	}
	return nil
}

// announces has the plugin serve a helper, and calls it where the broker's stream says it is.
func announces(c *grpcConn, b *brokerStream) error {
	reply, err := call(fixturepb.NewCounterClient(c).Open, &fixturepb.CounterOpen{})
	if err != nil {
		return err
	}
	m, err := newConnInfo()
	if err != nil {
		return err
	}
	if err := bounded(patience, "the broker's stream", func() error { return b.RecvMsg(m) }); err != nil {
		return err
	}
	fields := m.ProtoReflect().Descriptor().Fields()
	text := func(name string) string { return m.ProtoReflect().Get(fields.ByTextName(name)).String() }
	if text("service_id") != fmt.Sprint(reply.Id) || text("network") != network || m.ProtoReflect().Has(fields.ByTextName("knock")) {
		return fmt.Errorf("id %d is announced by %v", reply.Id, m)
	}
	addr, err := resolve(network, text("address"))
	if err != nil {
		return err
	}
	other, err := bareCopy(addr)
	if err != nil {
		return err
	}
	defer func() { _ = other.Close() }()
	return adds1000(other)
}

func adds1000(c grpc.ClientConnInterface) error {
	sum, err := call(fixturepb.NewAddHelperClient(c).Sum, &fixturepb.SumRequest{A: 40, B: 2})
	if err != nil {
		return err
	}
	if sum.R != 1042 {
		return fmt.Errorf("the helper answers %d", sum.R)
	}
	return nil
}

// helperOn makes a gRPC connection of the session's next stream.
func helperOn(session *yamux.Session) error {
	used := false
	cc, err := dialBare(nil, func() (net.Conn, error) {
		if used {
			return nil, errors.New("one stream for one knock")
		}
		used = true
		return session.Open()
	})
	if err != nil {
		return err
	}
	defer func() { _ = cc.Close() }()
	return adds1000(cc)
}

// knocked has the plugin dial id 9 and answers its knock.
func knocked(c *grpcConn, b *brokerStream, answer, text string) error {
	failed := make(chan error, 1)
	go func() { failed <- dialFails(c, 9, text) }()
	if err := b.expect(`service_id: 9 knock: {knock: true}`); err != nil {
		return err
	}
	if err := b.send(answer); err != nil {
		return err
	}
	return bounded(15*time.Second, "the plugin's call", func() error { return <-failed })
}
