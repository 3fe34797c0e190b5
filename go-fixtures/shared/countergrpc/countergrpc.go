// Package countergrpc is proto/counter.proto over gRPC: numbers under keys,
// added up by a helper that the other side serves through the GRPCBroker.
package countergrpc

import (
	"context"
	"fmt"
	"sync"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"example.com/goplug/fixtures/shared/fixturepb"
	"example.com/goplug/fixtures/shared/grpcserve"
	"example.com/goplug/fixtures/shared/kvgrpc"
)

// Name is what hosts dispense; gRPC mode does not send it.
const Name = "counter"

// Helper is what either side serves on a brokered id. Who names the side in
// Nest's answer; Add is what Sum does.
type Helper struct {
	fixturepb.UnimplementedAddHelperServer
	Broker *plugin.GRPCBroker
	Who    string
	Add    func(a, b int64) (int64, error)
}

func (h *Helper) Sum(_ context.Context, in *fixturepb.SumRequest) (*fixturepb.SumReply, error) {
	r, err := h.Add(in.A, in.B)
	return &fixturepb.SumReply{R: r}, err
}

func (h *Helper) Nest(ctx context.Context, in *fixturepb.NestRequest) (*fixturepb.NestReply, error) {
	reply := &fixturepb.NestReply{Names: []string{fmt.Sprintf("%s %d", h.Who, in.Depth)}}
	if in.Depth <= 0 {
		return reply, nil
	}
	id := h.Broker.NextId()
	stop := Serve(h.Broker, id, h)
	defer stop()
	c, err := h.Broker.Dial(in.Id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	deeper, err := fixturepb.NewAddHelperClient(c).Nest(ctx, &fixturepb.NestRequest{Depth: in.Depth - 1, Id: id})
	if err != nil {
		return nil, err
	}
	reply.Names = append(reply.Names, deeper.Names...)
	return reply, nil
}

// Serve serves h, and the streams of stream.proto beside it, on a brokered id until stop is called or the broker ends. It
// comes back when the id can be dialled: with multiplexing, go-plugin refuses a
// knock that comes while Accept is still at work ("no listener for id N").
func Serve(broker *plugin.GRPCBroker, id uint32, h *Helper) (stop func()) {
	made := make(chan *grpc.Server)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		broker.AcceptAndServe(id, func(opts []grpc.ServerOption) *grpc.Server {
			s := grpcserve.Server(opts)
			fixturepb.RegisterAddHelperServer(s, h)
			kvgrpc.RegisterStreams(s)
			made <- s
			return s
		})
	}()
	select {
	case s := <-made:
		return s.Stop
	case <-ended: // it could not accept
		return func() {}
	}
}

// Plugin joins the counter to gRPC; the numbers are kept in it.
type Plugin struct {
	plugin.NetRPCUnsupportedPlugin
	mu     sync.Mutex
	values map[string]int64
}

// GRPCServer registers the service.
func (p *Plugin) GRPCServer(broker *plugin.GRPCBroker, s *grpc.Server) error {
	own := &Helper{Broker: broker, Who: "plugin", Add: func(a, b int64) (int64, error) { return a + b + 1000, nil }}
	fixturepb.RegisterCounterServer(s, &server{p: p, own: own})
	return nil
}

// GRPCClient returns a *Client that calls over c.
func (*Plugin) GRPCClient(_ context.Context, broker *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return &Client{fixturepb.NewCounterClient(c), broker}, nil
}

type server struct {
	fixturepb.UnimplementedCounterServer
	p   *Plugin
	own *Helper
}

func (s *server) Put(ctx context.Context, in *fixturepb.CounterPut) (*fixturepb.CounterValue, error) {
	c, err := s.own.Broker.Dial(in.AddServer)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()

	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	sum, err := fixturepb.NewAddHelperClient(c).Sum(ctx, &fixturepb.SumRequest{A: s.p.values[in.Key], B: in.Value})
	if err != nil {
		return nil, err
	}
	if s.p.values == nil {
		s.p.values = map[string]int64{}
	}
	s.p.values[in.Key] = sum.R
	return &fixturepb.CounterValue{Value: sum.R}, nil
}

func (s *server) Get(_ context.Context, in *fixturepb.CounterKey) (*fixturepb.CounterValue, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	return &fixturepb.CounterValue{Value: s.p.values[in.Key]}, nil
}

func (s *server) Open(context.Context, *fixturepb.CounterOpen) (*fixturepb.BrokerId, error) {
	id := s.own.Broker.NextId()
	_ = Serve(s.own.Broker, id, s.own) // until the broker ends
	return &fixturepb.BrokerId{Id: id}, nil
}

func (s *server) Nest(ctx context.Context, in *fixturepb.NestRequest) (*fixturepb.NestReply, error) {
	return s.own.Nest(ctx, in)
}

func (s *server) DialNobody(ctx context.Context, in *fixturepb.BrokerId) (*fixturepb.DialFailure, error) {
	c, err := s.own.Broker.Dial(in.Id)
	if err != nil {
		return &fixturepb.DialFailure{Code: -1, Text: err.Error()}, nil
	}
	defer func() { _ = c.Close() }()
	_, err = fixturepb.NewAddHelperClient(c).Sum(ctx, &fixturepb.SumRequest{})
	failure := status.Convert(err)
	return &fixturepb.DialFailure{Code: int32(failure.Code()), Text: failure.Message()}, nil
}

// Client is the host's side.
type Client struct {
	Counter fixturepb.CounterClient
	Broker  *plugin.GRPCBroker
}

// Put serves add on a fresh id while the plugin's Put runs.
func (c *Client) Put(ctx context.Context, key string, value int64, add func(a, b int64) (int64, error)) (int64, error) {
	id := c.Broker.NextId()
	stop := Serve(c.Broker, id, c.Helper(add))
	defer stop()
	reply, err := c.Counter.Put(ctx, &fixturepb.CounterPut{AddServer: id, Key: key, Value: value})
	return reply.GetValue(), err
}

// Helper returns a helper of the host's.
func (c *Client) Helper(add func(a, b int64) (int64, error)) *Helper {
	return &Helper{Broker: c.Broker, Who: "host", Add: add}
}
