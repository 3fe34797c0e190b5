// Package grpckv is what the gRPC fixtures on old go-plugin releases share:
// from ../../proto, KV, Counter without Nest and DialNobody, AddHelper's Sum,
// and Tools' WriteStdout and WriteStderr. It must not know go-plugin, and its
// messages and service descriptions are written by hand: what today's
// generators make does not build with the gRPC releases of those years.
package grpckv

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
)

type (
	Key struct {
		Key string `protobuf:"bytes,1,opt,name=key,proto3"`
	}
	Value struct {
		Value []byte `protobuf:"bytes,1,opt,name=value,proto3"`
	}
	Entry struct {
		Key   string `protobuf:"bytes,1,opt,name=key,proto3"`
		Value []byte `protobuf:"bytes,2,opt,name=value,proto3"`
	}
	CounterPut struct {
		AddServer uint32 `protobuf:"varint,1,opt,name=add_server,proto3"`
		Key       string `protobuf:"bytes,2,opt,name=key,proto3"`
		Value     int64  `protobuf:"varint,3,opt,name=value,proto3"`
	}
	// Number is CounterValue, SumReply and Number.
	Number struct {
		N int64 `protobuf:"varint,1,opt,name=n,proto3"`
	}
	BrokerID struct {
		ID uint32 `protobuf:"varint,1,opt,name=id,proto3"`
	}
	Sum struct {
		A int64 `protobuf:"varint,1,opt,name=a,proto3"`
		B int64 `protobuf:"varint,2,opt,name=b,proto3"`
	}
	Empty struct{}
)

func (m *Key) Reset()                { *m = Key{} }
func (m *Key) String() string        { return fmt.Sprintf("%+v", *m) }
func (*Key) ProtoMessage()           {}
func (m *Value) Reset()              { *m = Value{} }
func (m *Value) String() string      { return fmt.Sprintf("%+v", *m) }
func (*Value) ProtoMessage()         {}
func (m *Entry) Reset()              { *m = Entry{} }
func (m *Entry) String() string      { return fmt.Sprintf("%+v", *m) }
func (*Entry) ProtoMessage()         {}
func (m *CounterPut) Reset()         { *m = CounterPut{} }
func (m *CounterPut) String() string { return fmt.Sprintf("%+v", *m) }
func (*CounterPut) ProtoMessage()    {}
func (m *Number) Reset()             { *m = Number{} }
func (m *Number) String() string     { return fmt.Sprintf("%+v", *m) }
func (*Number) ProtoMessage()        {}
func (m *BrokerID) Reset()           { *m = BrokerID{} }
func (m *BrokerID) String() string   { return fmt.Sprintf("%+v", *m) }
func (*BrokerID) ProtoMessage()      {}
func (m *Sum) Reset()                { *m = Sum{} }
func (m *Sum) String() string        { return fmt.Sprintf("%+v", *m) }
func (*Sum) ProtoMessage()           {}
func (m *Empty) Reset()              { *m = Empty{} }
func (m *Empty) String() string      { return "{}" }
func (*Empty) ProtoMessage()         {}

// unary describes a method that does in's work on any server.
func unary[In any](name string, do func(context.Context, *In) (interface{}, error)) grpc.MethodDesc {
	return grpc.MethodDesc{
		MethodName: name,
		Handler: func(_ interface{}, ctx context.Context, decode func(interface{}) error, _ grpc.UnaryServerInterceptor) (interface{}, error) {
			in := new(In)
			if err := decode(in); err != nil {
				return nil, err
			}
			return do(ctx, in)
		},
	}
}

func service(name string, methods ...grpc.MethodDesc) *grpc.ServiceDesc {
	return &grpc.ServiceDesc{ServiceName: name, HandlerType: (*interface{})(nil), Methods: methods}
}

// Broker is what these fixtures use of go-plugin's GRPCBroker.
type Broker interface {
	NextId() uint32
	Dial(id uint32) (*grpc.ClientConn, error)
	AcceptAndServe(id uint32, newServer func([]grpc.ServerOption) *grpc.Server)
}
