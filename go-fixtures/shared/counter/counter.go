// Package counter is the plugin "counter": numbers under keys, added up by a
// helper that the other side serves through the broker. It is go-plugin's
// bidirectional example carried over to net/rpc and its MuxBroker, with more
// ways of calling back.
//
// Wire service of the plugin (net/rpc service name "Plugin"):
//
//	Put(PutArgs{Key string, Value int64, AddServer uint32}) int64
//	    dials the host's brokered id AddServer, calls Sum{A: the old value or 0, B: Value} there,
//	    stores the sum under Key and answers it. An error of Sum is the error of Put.
//	Get(key string) int64           0 for an unknown key
//	Open(nil) uint32                serves a Helper of the plugin's own on a fresh id and answers the id;
//	                                that helper's Sum answers A + B + 1000, to be told from the host's
//	Nest(NestArgs{Depth int, Id uint32}) []string
//	    Depth 0: answers ["plugin 0"]. Otherwise serves a Helper of its own on a fresh id, dials the
//	    other side's Id, calls Nest{Depth - 1, fresh id} there, and answers "plugin <Depth>" followed by
//	    what came back. The host's helper does the same under the name "host", so that Nest{3, id}
//	    answers ["plugin 3", "host 2", "plugin 1", "host 0"].
//	AcceptNobody(nil) string        accepts on a fresh id that nobody dials; answers the error's text,
//	                                "timeout waiting for accept" after 5 s
//
// Wire service of a Helper, on a brokered connection, of either side (service name "Plugin"):
//
//	Sum(SumArgs{A int64, B int64}) int64
//	Nest(NestArgs) []string         as above
package counter

import (
	"errors"
	"fmt"
	"net/rpc"
	"sync"

	"github.com/hashicorp/go-plugin"
)

// Name is what hosts dispense.
const Name = "counter"

type (
	PutArgs struct {
		Key       string
		Value     int64
		AddServer uint32
	}
	SumArgs  struct{ A, B int64 }
	NestArgs struct {
		Depth int
		Id    uint32
	}
)

// Helper is what either side serves on a brokered id. Who names the side in
// Nest's answer; Add is what Sum does.
type Helper struct {
	Broker *plugin.MuxBroker
	Who    string
	Add    func(a, b int64) (int64, error)
}

func (h *Helper) Sum(args SumArgs, reply *int64) (err error) {
	*reply, err = h.Add(args.A, args.B)
	return err
}

func (h *Helper) Nest(args NestArgs, reply *[]string) error {
	*reply = []string{fmt.Sprintf("%s %d", h.Who, args.Depth)}
	if args.Depth <= 0 {
		return nil
	}
	id := h.Broker.NextId()
	go h.Broker.AcceptAndServe(id, h)
	c, err := dial(h.Broker, args.Id)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	var deeper []string
	if err := c.Call("Plugin.Nest", NestArgs{args.Depth - 1, id}, &deeper); err != nil {
		return err
	}
	*reply = append(*reply, deeper...)
	return nil
}

func dial(broker *plugin.MuxBroker, id uint32) (*rpc.Client, error) {
	conn, err := broker.Dial(id)
	if err != nil {
		return nil, err
	}
	return rpc.NewClient(conn), nil
}

// Plugin joins the counter to net/rpc; the numbers are kept in it, so that all
// connections see the same ones.
type Plugin struct {
	mu     sync.Mutex
	values map[string]int64
}

// Server returns the receiver that the plugin serves.
func (p *Plugin) Server(broker *plugin.MuxBroker) (any, error) {
	own := &Helper{Broker: broker, Who: "plugin", Add: func(a, b int64) (int64, error) { return a + b + 1000, nil }}
	return &server{p, own}, nil
}

// Client returns a *Client that calls over c.
func (*Plugin) Client(broker *plugin.MuxBroker, c *rpc.Client) (any, error) {
	return &Client{c, broker}, nil
}

type server struct {
	p   *Plugin
	own *Helper
}

func (s *server) Put(args PutArgs, reply *int64) error {
	c, err := dial(s.own.Broker, args.AddServer)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()

	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if err := c.Call("Plugin.Sum", SumArgs{s.p.values[args.Key], args.Value}, reply); err != nil {
		return err
	}
	if s.p.values == nil {
		s.p.values = map[string]int64{}
	}
	s.p.values[args.Key] = *reply
	return nil
}

func (s *server) Get(key string, reply *int64) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	*reply = s.p.values[key]
	return nil
}

func (s *server) Open(_ any, reply *uint32) error {
	*reply = s.own.Broker.NextId()
	go s.own.Broker.AcceptAndServe(*reply, s.own)
	return nil
}

func (s *server) Nest(args NestArgs, reply *[]string) error { return s.own.Nest(args, reply) }

func (s *server) AcceptNobody(_ any, reply *string) error {
	conn, err := s.own.Broker.Accept(s.own.Broker.NextId())
	if err == nil {
		_ = conn.Close()
		return errors.New("somebody dialled")
	}
	*reply = err.Error()
	return nil
}

// Client is the host's side.
type Client struct {
	RPC    *rpc.Client
	Broker *plugin.MuxBroker
}

// Put serves add on a fresh id while the plugin's Put runs.
func (c *Client) Put(key string, value int64, add func(a, b int64) (int64, error)) (sum int64, err error) {
	id := c.Broker.NextId()
	go c.Broker.AcceptAndServe(id, c.Helper(add))
	return c.PutWith(key, value, id)
}

// PutWith calls Put with the id of a helper that the caller serves.
func (c *Client) PutWith(key string, value int64, id uint32) (sum int64, err error) {
	err = c.RPC.Call("Plugin.Put", PutArgs{key, value, id}, &sum)
	return sum, err
}

// Get returns the number under key.
func (c *Client) Get(key string) (value int64, err error) {
	err = c.RPC.Call("Plugin.Get", key, &value)
	return value, err
}

// Helper returns a helper of the host's.
func (c *Client) Helper(add func(a, b int64) (int64, error)) *Helper {
	return &Helper{Broker: c.Broker, Who: "host", Add: add}
}

// Dial returns a net/rpc client on a brokered id that the plugin serves.
func (c *Client) Dial(id uint32) (*rpc.Client, error) { return dial(c.Broker, id) }
