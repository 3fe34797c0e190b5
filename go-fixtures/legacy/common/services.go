package common

import (
	"fmt"
	"net/rpc"
	"os"
	"sync"
	"time"
)

// Receiver makes what a plugin serves under a name; nil for unknown names.
func Receiver(name string, broker Broker) interface{} {
	switch name {
	case "greeter":
		return &greeter{}
	case "kv":
		return store
	case "counter":
		return &counter{broker: broker, values: map[string]int64{}}
	}
	return nil
}

type greeter struct{}

func (*greeter) Greet(_ interface{}, reply *string) error {
	*reply = "Hello!"
	return nil
}

type kv struct {
	mu     sync.Mutex
	values map[string][]byte
}

var store = &kv{values: map[string][]byte{}}

func (s *kv) Put(args map[string]interface{}, _ *interface{}) error {
	key, ok1 := args["key"].(string)
	value, ok2 := args["value"].([]byte)
	if !ok1 || !ok2 {
		return fmt.Errorf("key is %T and value is %T", args["key"], args["value"])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key] = value
	return nil
}

func (s *kv) Get(key string, value *[]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.values[key]
	if !ok {
		return fmt.Errorf("key not found: %s", key)
	}
	*value = v
	return nil
}

func (s *kv) Echo(in []byte, out *[]byte) error {
	*out = in
	return nil
}

func (s *kv) WriteStdout(n int, reply *int) (err error) {
	*reply, err = os.Stdout.Write(Pattern(n))
	return err
}

func (s *kv) WriteStderr(n int, reply *int) (err error) {
	*reply, err = os.Stderr.Write(Pattern(n))
	return err
}

func (s *kv) Hang(_ interface{}, _ *interface{}) error {
	for {
		time.Sleep(time.Hour)
	}
}

type (
	PutArgs struct {
		Key       string
		Value     int64
		AddServer uint32
	}
	SumArgs struct{ A, B int64 }

	counter struct {
		broker Broker
		mu     sync.Mutex
		values map[string]int64
	}

	// Helper adds, and More to it.
	Helper struct{ More int64 }
)

func (h *Helper) Sum(args SumArgs, reply *int64) error {
	*reply = args.A + args.B + h.More
	return nil
}

func (c *counter) Put(args PutArgs, reply *int64) error {
	conn, err := c.broker.Dial(args.AddServer)
	if err != nil {
		return err
	}
	helper := rpc.NewClient(conn)
	defer func() { _ = helper.Close() }()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := helper.Call("Plugin.Sum", SumArgs{c.values[args.Key], args.Value}, reply); err != nil {
		return err
	}
	c.values[args.Key] = *reply
	return nil
}

func (c *counter) Get(key string, reply *int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	*reply = c.values[key]
	return nil
}

func (c *counter) Open(_ interface{}, reply *uint32) error {
	*reply = c.broker.NextId()
	go c.broker.AcceptAndServe(*reply, &Helper{More: 1000})
	return nil
}
