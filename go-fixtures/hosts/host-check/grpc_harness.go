package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"example.com/goplug/fixtures/shared/fixturepb"
	"example.com/goplug/fixtures/shared/kvpb"
)

// grpcConn is what Dispense gives in gRPC mode, under every name.
type grpcConn struct {
	*grpc.ClientConn
	broker *plugin.GRPCBroker
	gone   context.Context // ends when go-plugin has seen the plugin's end
}

type grpcAny struct{ plugin.NetRPCUnsupportedPlugin }

func (grpcAny) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("a host serves nothing")
}

func (grpcAny) GRPCClient(gone context.Context, b *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return &grpcConn{c, b, gone}, nil
}

var grpcSet = plugin.PluginSet{"kv": grpcAny{}}

func (c *grpcConn) kv() kvpb.KVClient              { return kvpb.NewKVClient(c) }
func (c *grpcConn) tools() fixturepb.ToolsClient   { return fixturepb.NewToolsClient(c) }
func (c *grpcConn) stream() fixturepb.StreamClient { return fixturepb.NewStreamClient(c) }

// variant is a way of connecting. Those over TLS and those multiplexed must
// behave as the plain one.
type variant struct {
	suffix, about string
	tls, mux      bool
}

var (
	plain    = variant{}
	variants = []variant{
		plain,
		{"-tls", ", over AutoMTLS", true, false},
		{"-mux", ", with broker multiplexing", false, true},
		{"-mux-tls", ", with broker multiplexing over AutoMTLS", true, true},
	}
)

// startGRPC starts the plugin by go-plugin, for a host that speaks only gRPC.
func (h *harness) startGRPC(v variant, env ...string) (*peer, *grpcConn, error) {
	p, err := h.start(func(c *plugin.ClientConfig) {
		c.Plugins = grpcSet
		c.AllowedProtocols = []plugin.Protocol{plugin.ProtocolGRPC}
		c.AutoMTLS, c.GRPCBrokerMultiplex = v.tls, v.mux
	}, env...)
	if err != nil {
		return nil, nil, err
	}
	c, err := p.dispenseGRPC()
	return p, c, err
}

func (p *peer) dispenseGRPC() (*grpcConn, error) {
	raw, err := p.rpc.Dispense("kv")
	if err != nil {
		return nil, fmt.Errorf("dispense: %w", err)
	}
	return raw.(*grpcConn), nil
}

// withGRPC starts the plugin, runs f, and ends the plugin gracefully.
func withGRPC(h *harness, v variant, f func(*peer, *grpcConn) error) error {
	p, c, err := h.startGRPC(v)
	if err != nil {
		return err
	}
	if err := f(p, c); err != nil {
		return err
	}
	return p.quitGRPC(v)
}

// quitGRPC is quit; the socket file of a multiplexed Go plugin stays, so that
// it is looked for by a case of its own.
func (p *peer) quitGRPC(v variant) error {
	if !v.mux {
		return p.quit()
	}
	p.client.Kill()
	if state := p.cmd.ProcessState; !bare && (state == nil || !state.Success()) {
		return fmt.Errorf("no clean end: %v", state)
	}
	return nil
}

// soon bounds one call.
func soon() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 20*time.Second)
}

// call makes a unary call, bounded in time, and gives its answer.
func call[In, Out any](method func(context.Context, In, ...grpc.CallOption) (Out, error), in In) (Out, error) {
	ctx, cancel := soon()
	defer cancel()
	return method(ctx, in)
}

// wantStatus checks an error's code and, if text is not empty, its whole text.
func wantStatus(err error, code codes.Code, text string) error {
	got := status.Convert(err)
	if got.Code() != code || text != "" && got.Message() != text {
		return fmt.Errorf("the status is %v %q instead of %v %q", got.Code(), got.Message(), code, text)
	}
	return nil
}

func put(c kvpb.KVClient, key string, value []byte) error {
	_, err := call(c.Put, &kvpb.PutRequest{Key: key, Value: value})
	return err
}

func get(c kvpb.KVClient, key string) ([]byte, error) {
	reply, err := call(c.Get, &kvpb.GetRequest{Key: key})
	return reply.GetValue(), err
}

// number calls one of the tools that take and answer a number.
func number(method func(context.Context, *fixturepb.Number, ...grpc.CallOption) (*fixturepb.Number, error), n int) error {
	reply, err := call(method, &fixturepb.Number{N: int64(n)})
	if err != nil {
		return err
	}
	if reply.N != int64(n) {
		return fmt.Errorf("the answer is %d instead of %d", reply.N, n)
	}
	return nil
}

// dialBare connects without go-plugin and without TLS; dialer may be nil.
func dialBare(addr net.Addr, dialer func() (net.Conn, error)) (*grpc.ClientConn, error) {
	if dialer == nil {
		dialer = func() (net.Conn, error) { return dialPlain(addr) }
	}
	return grpc.Dial("passthrough:bare",
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return dialer() }),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32)))
}

// bareCopy is c over a connection of its own.
func bareCopy(addr net.Addr) (*grpcConn, error) {
	cc, err := dialBare(addr, nil)
	return &grpcConn{ClientConn: cc}, err
}
