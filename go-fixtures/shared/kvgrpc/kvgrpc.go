// Package kvgrpc serves the store, the tools and the streams of
// proto/{kv,tools,stream}.proto over gRPC, as one plugin: in gRPC mode a
// plugin's name is the host's own affair and never on the wire.
package kvgrpc

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"example.com/goplug/fixtures/shared/fixturepb"
	"example.com/goplug/fixtures/shared/kv"
	"example.com/goplug/fixtures/shared/kvpb"
)

// Plugin joins the services to gRPC. Receiver is set on the plugin's side only.
type Plugin struct {
	plugin.NetRPCUnsupportedPlugin
	Receiver *kv.Receiver
}

// GRPCServer registers the three services: one store for all connections.
func (p *Plugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	kvpb.RegisterKVServer(s, &store{r: p.Receiver})
	RegisterTools(s, p.Receiver)
	RegisterStreams(s)
	return nil
}

// GRPCClient returns a kv.Store that calls over c.
func (*Plugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return &Client{kvpb.NewKVClient(c), fixturepb.NewStreamClient(c)}, nil
}

// RegisterTools adds the tools to a plugin of another kind.
func RegisterTools(s *grpc.Server, r *kv.Receiver) { fixturepb.RegisterToolsServer(s, &tools{r: r}) }

// RegisterStreams adds the streams to a server of another kind.
func RegisterStreams(s *grpc.Server) { fixturepb.RegisterStreamServer(s, streams{}) }

// Client is the store and the streams on the host's side.
type Client struct {
	KV     kvpb.KVClient
	Stream fixturepb.StreamClient
}

var _ kv.Store = (*Client)(nil)

// Put stores value under key.
func (c *Client) Put(key string, value []byte) error {
	_, err := c.KV.Put(context.Background(), &kvpb.PutRequest{Key: key, Value: value})
	return err
}

// Get returns the value of key.
func (c *Client) Get(key string) ([]byte, error) {
	reply, err := c.KV.Get(context.Background(), &kvpb.GetRequest{Key: key})
	return reply.GetValue(), err
}

type store struct {
	kvpb.UnimplementedKVServer
	r *kv.Receiver
}

func (s *store) Get(_ context.Context, in *kvpb.GetRequest) (*kvpb.GetResponse, error) {
	reply := &kvpb.GetResponse{}
	if err := s.r.Get(in.Key, &reply.Value); err != nil {
		return nil, status.Error(codes.NotFound, err.Error())
	}
	return reply, nil
}

func (s *store) Put(_ context.Context, in *kvpb.PutRequest) (*kvpb.Empty, error) {
	return &kvpb.Empty{}, s.r.Put(map[string]any{"key": in.Key, "value": in.Value}, nil)
}

type tools struct {
	fixturepb.UnimplementedToolsServer
	r         *kv.Receiver
	cancelled atomic.Int64
}

// number calls one of the receiver's methods that answer an int.
func number[T any](method func(T, *int) error, in T) (*fixturepb.Number, error) {
	var n int
	if err := method(in, &n); err != nil {
		return nil, err
	}
	return &fixturepb.Number{N: int64(n)}, nil
}

func nothing[T any](method func(T, *any) error, in T) (*fixturepb.Nothing, error) {
	return &fixturepb.Nothing{}, method(in, nil)
}

func (t *tools) Echo(_ context.Context, in *fixturepb.Bytes) (*fixturepb.Bytes, error) {
	return in, nil
}

func (t *tools) Sleep(_ context.Context, in *fixturepb.Number) (*fixturepb.Number, error) {
	return number(t.r.Sleep, int(in.N))
}

func (t *tools) Pid(context.Context, *fixturepb.Nothing) (*fixturepb.Number, error) {
	return number(t.r.Pid, any(nil))
}

func (t *tools) Env(_ context.Context, in *fixturepb.Text) (*fixturepb.Text, error) {
	reply := &fixturepb.Text{}
	return reply, t.r.Env(in.Text, &reply.Text)
}

func (t *tools) Fail(ctx context.Context, in *fixturepb.Failure) (*fixturepb.Nothing, error) {
	if err := grpc.SetHeader(ctx, metadata.Pairs("goplug-header", "yes")); err != nil {
		return nil, err
	}
	code := codes.Code(in.Code)
	if err := grpc.SetTrailer(ctx, metadata.Pairs("goplug-trailer", fmt.Sprint(in.Code))); err != nil {
		return nil, err
	}
	return &fixturepb.Nothing{}, status.Error(code, in.Text)
}

func (t *tools) Metadata(ctx context.Context, _ *fixturepb.Nothing) (*fixturepb.Pairs, error) {
	in, _ := metadata.FromIncomingContext(ctx)
	reply := &fixturepb.Pairs{Pairs: map[string][]byte{}}
	for key, values := range in {
		if strings.HasPrefix(key, "goplug-") {
			reply.Pairs[key] = []byte(values[len(values)-1])
		}
	}
	return reply, nil
}

func (t *tools) WriteStdout(_ context.Context, in *fixturepb.Number) (*fixturepb.Number, error) {
	return number(t.r.WriteStdout, int(in.N))
}

func (t *tools) WriteStderr(_ context.Context, in *fixturepb.Number) (*fixturepb.Number, error) {
	return number(t.r.WriteStderr, int(in.N))
}

func (t *tools) WriteLines(_ context.Context, in *fixturepb.Number) (*fixturepb.Number, error) {
	return number(writeLines, int(in.N))
}

func (t *tools) Print(_ context.Context, in *fixturepb.Bytes) (*fixturepb.Number, error) {
	return number(t.r.Print, string(in.Data))
}

func (t *tools) PrintErr(_ context.Context, in *fixturepb.Bytes) (*fixturepb.Number, error) {
	return number(t.r.PrintErr, string(in.Data))
}

func (t *tools) LogAll(_ context.Context, in *fixturepb.Text) (*fixturepb.Number, error) {
	return number(t.r.LogAll, in.Text)
}

func (t *tools) RawStderr(_ context.Context, in *fixturepb.Text) (*fixturepb.Number, error) {
	return number(t.r.RawStderr, in.Text)
}

func (t *tools) Hang(ctx context.Context, _ *fixturepb.Nothing) (*fixturepb.Nothing, error) {
	<-ctx.Done()
	t.cancelled.Add(1)
	return nil, status.FromContextError(ctx.Err()).Err()
}

func (t *tools) Cancelled(context.Context, *fixturepb.Nothing) (*fixturepb.Number, error) {
	return &fixturepb.Number{N: t.cancelled.Load()}, nil
}

func (t *tools) Exit(_ context.Context, in *fixturepb.Number) (*fixturepb.Nothing, error) {
	return nothing(t.r.Exit, int(in.N))
}

func (t *tools) Crash(_ context.Context, in *fixturepb.Text) (*fixturepb.Nothing, error) {
	return nothing(t.r.Crash, in.Text)
}

func (t *tools) KillSelf(context.Context, *fixturepb.Nothing) (*fixturepb.Nothing, error) {
	return nothing(t.r.KillSelf, any(nil))
}

func (t *tools) Block(_ context.Context, in *fixturepb.Number) (*fixturepb.Number, error) {
	return number(t.r.Block, int(in.N))
}

func (t *tools) Freeze(context.Context, *fixturepb.Nothing) (*fixturepb.Nothing, error) {
	return nothing(t.r.Freeze, any(nil))
}
