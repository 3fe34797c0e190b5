package grpckv

import (
	"context"
	"os"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Register adds the services to a plugin's server.
func Register(s *grpc.Server, broker Broker) {
	p := &server{broker: broker, values: map[string][]byte{}, counts: map[string]int64{}}
	s.RegisterService(service("proto.KV", unary("Get", p.get), unary("Put", p.put)), p)
	s.RegisterService(service("goplug.fixtures.Counter", unary("Put", p.count), unary("Get", p.counted), unary("Open", p.open)), p)
	s.RegisterService(service("goplug.fixtures.Tools",
		unary("WriteStdout", func(_ context.Context, in *Number) (interface{}, error) { return write(os.Stdout, in) }),
		unary("WriteStderr", func(_ context.Context, in *Number) (interface{}, error) { return write(os.Stderr, in) }),
	), p)
}

type server struct {
	broker Broker
	mu     sync.Mutex
	values map[string][]byte
	counts map[string]int64
}

func (s *server) get(_ context.Context, in *Key) (interface{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, ok := s.values[in.Key]
	if !ok {
		return nil, status.Errorf(codes.NotFound, "key not found: %s", in.Key)
	}
	return &Value{value}, nil
}

func (s *server) put(_ context.Context, in *Entry) (interface{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[in.Key] = in.Value
	return &Empty{}, nil
}

func (s *server) count(ctx context.Context, in *CounterPut) (interface{}, error) {
	c, err := s.broker.Dial(in.AddServer)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := &Number{}
	if err := c.Invoke(ctx, "/goplug.fixtures.AddHelper/Sum", &Sum{s.counts[in.Key], in.Value}, sum); err != nil {
		return nil, err
	}
	s.counts[in.Key] = sum.N
	return sum, nil
}

func (s *server) counted(_ context.Context, in *Key) (interface{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &Number{s.counts[in.Key]}, nil
}

func (s *server) open(context.Context, *Empty) (interface{}, error) {
	id := s.broker.NextId()
	Serve(s.broker, id, func(a, b int64) int64 { return a + b + 1000 })
	return &BrokerID{id}, nil
}

// Serve serves an AddHelper on a brokered id until stop is called or the broker
// ends; it comes back when the id can be dialled.
func Serve(broker Broker, id uint32, add func(a, b int64) int64) (stop func()) {
	made, ended := make(chan *grpc.Server), make(chan struct{})
	go func() {
		defer close(ended)
		broker.AcceptAndServe(id, func(opts []grpc.ServerOption) *grpc.Server {
			s := grpc.NewServer(opts...)
			s.RegisterService(service("goplug.fixtures.AddHelper",
				unary("Sum", func(_ context.Context, in *Sum) (interface{}, error) { return &Number{add(in.A, in.B)}, nil })), struct{}{})
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

func write(f *os.File, in *Number) (interface{}, error) {
	_, err := f.Write(Pattern(int(in.N)))
	return in, err
}

// Pattern is n bytes, byte i being (i*31 + 7) & 0xff.
func Pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*31 + 7)
	}
	return b
}
