// versioned serves the store in two app protocol versions: over net/rpc in
// version 2 (package shared/kv), over gRPC in version 3 (proto/kv.proto). A
// value written in version 2 is read with " (2)" behind it, one in version 3
// with " (3)".
package main

import (
	"context"
	"errors"
	"net/rpc"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/goplug/fixtures/shared/grpcserve"
	"example.com/goplug/fixtures/shared/handshake"
	"example.com/goplug/fixtures/shared/kv"
	"example.com/goplug/fixtures/shared/kvpb"
)

var errNoHost = errors.New("this is the plugin's side")

func main() {
	logger := handshake.Logger("versioned")
	store := kv.NewReceiver(logger)
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			MagicCookieKey:   handshake.Config.MagicCookieKey,
			MagicCookieValue: handshake.Config.MagicCookieValue,
		},
		VersionedPlugins: map[int]plugin.PluginSet{
			2: {kv.Name: &version2{store}},
			3: {kv.Name: &version3{store: store}},
		},
		GRPCServer: grpcserve.Server,
		Logger:     logger,
	})
}

type version2 struct{ store *kv.Receiver }

func (v *version2) Server(*plugin.MuxBroker) (any, error) { return &netrpc{v.store}, nil }

func (*version2) Client(*plugin.MuxBroker, *rpc.Client) (any, error) { return nil, errNoHost }

// netrpc hides the receiver's other methods.
type netrpc struct{ store *kv.Receiver }

func (n *netrpc) Put(args map[string]any, reply *any) error {
	if value, ok := args["value"].([]byte); ok {
		args["value"] = append(value, " (2)"...)
	}
	return n.store.Put(args, reply)
}

func (n *netrpc) Get(key string, value *[]byte) error { return n.store.Get(key, value) }

type version3 struct {
	plugin.NetRPCUnsupportedPlugin
	kvpb.UnimplementedKVServer
	store *kv.Receiver
}

func (v *version3) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	kvpb.RegisterKVServer(s, v)
	return nil
}

func (*version3) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errNoHost
}

func (v *version3) Put(_ context.Context, in *kvpb.PutRequest) (*kvpb.Empty, error) {
	value := append(in.Value, " (3)"...)
	return &kvpb.Empty{}, v.store.Put(map[string]any{"key": in.Key, "value": value}, nil)
}

func (v *version3) Get(_ context.Context, in *kvpb.GetRequest) (*kvpb.GetResponse, error) {
	reply := &kvpb.GetResponse{}
	if err := v.store.Get(in.Key, &reply.Value); err != nil {
		return nil, status.Error(codes.NotFound, err.Error())
	}
	return reply, nil
}
