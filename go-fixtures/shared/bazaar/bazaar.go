// Package bazaar is a contract with one of everything that Go can put into gob: what a generator of definitions must get right.
package bazaar

import (
	"encoding/gob"
	"encoding/json"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"net/rpc"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/bazaar/stall"
)

// Handshake is what host and plugin agree on.
var Handshake = plugin.HandshakeConfig{
	ProtocolVersion:  2,
	MagicCookieKey:   "BAZAAR_PLUGIN",
	MagicCookieValue: "a \"quoted\" word",
}

// PluginMap has the bazaar in one version.
var PluginMap = map[string]plugin.Plugin{"bazaar": &Plugin{}}

// Versions has it in two.
var Versions = map[int]plugin.PluginSet{
	1: {"bazaar": &Plugin{}},
	2: {"bazaar": &Plugin{}, "old bazaar": &Plugin{}},
}

// Named kinds.
type (
	// Price is money.
	Price int64
	// Colour is a word.
	Colour string
	// Names is a slice.
	Names []string
	// Attributes is a map of anything.
	Attributes map[string]any
	// Digest is an array of bytes.
	Digest [4]byte
	// Letter is a byte, so that a slice of it is bytes.
	Letter byte
	// Text is bytes.
	Text []Letter
	// Ratio is a float.
	Ratio float32
	// Flag is a bool.
	Flag bool
	// Forest is a slice of itself.
	Forest []Forest
	// Places is a map of itself.
	Places map[Colour]Places
	// Ref is an alias, which gob does not see.
	Ref = *Item
)

// Constants of many kinds.
const (
	Red   Colour = "red"
	Green Colour = "green"
	// Cheap is a price.
	Cheap Price = 1
	// Dearest is beyond what a JavaScript number holds.
	Dearest   Price = 1<<63 - 1
	Untyped         = 42
	Huge            = 1 << 62
	Half            = 0.5
	Name            = "bazaar"
	On              = true
	Letters         = 'z'
	OneMinute       = time.Minute
	hidden          = 5
)

// Map has the name of a JavaScript class, and fields of every kind.
type Map struct {
	Bool       bool
	Int        int
	Int8       int8
	Int16      int16
	Int32      int32
	Int64      int64
	Uint       uint
	Uint8      uint8
	Uint16     uint16
	Uint32     uint32
	Uint64     uint64
	Uintptr    uintptr
	Float32    float32
	Float64    float64
	Complex64  complex64
	Complex128 complex128
	String     string
	Bytes      []byte
	Rune       rune
	Price      Price
	Colour     Colour
	Names      Names
	Attributes Attributes
	Digest     Digest
	Text       Text
	Ratio      Ratio
	Flag       Flag
	Level      stall.Level
	// Number comes before a comment that ends like this: */
	Number *int
	Ints   []int
	Grid   [2][3]int16
	Table  map[string]map[int32][]string
	ByFlag map[bool]float64
	ByKey  map[Key]string
	Any    any
	Err    error
	Iface  Speaker
	Anys   []any
	Inline struct {
		A int
		B []struct{ C string }
	}
	Nothing struct{}
	Deep    ***string
}

// Key is a struct that is the key of a map.
type Key struct {
	A int
	B string
}

// Item contains itself in many ways.
type Item struct {
	Name     string
	Next     *Item
	Children []*Item
	ByName   map[string]Item
	Forest   Forest
	Places   Places
	Mutual   *Mutual
}

// Mutual and Item contain each other.
type Mutual struct{ Items []Item }

// Base is embedded.
type Base struct{ Id int }

type secret struct{ Shown int }

// Order embeds, and hides.
type Order struct {
	Base
	*Key
	secret
	Other   stall.Order
	Hidden  []stall.Hidden
	done    chan int
	Done    chan int
	OnDone  func()
	Pointer *func()
	Total   Price `json:"total"`
}

// Pair is generic.
type Pair[A, B any] struct {
	First  A
	Second B
}

// Box is generic, and contains its own instances.
type Box[T any] struct {
	Value T
	Boxes []Box[T]
}

// Known are types that marshal themselves, or look as if.
type Known struct {
	Time     time.Time
	Times    []time.Time
	When     *time.Time
	Duration time.Duration
	Int      big.Int
	Rat      *big.Rat
	Float    *big.Float
	URL      *url.URL
	Addr     netip.Addr
	IP       net.IP
	Header   http.Header
	Raw      json.RawMessage
	Number   json.Number
	Stamp    Stamp
	Temp     Temperature
	Port     netip.AddrPort
	Secret   Opaque
	Secrets  map[string]Opaque
	Ptr      *Opaque
}

// Stamp is a time with the methods of the time in it.
type Stamp struct{ time.Time }

// Temperature has MarshalText, which gob does not look at.
type Temperature struct{ Degrees float64 }

// MarshalText is for JSON.
func (t Temperature) MarshalText() ([]byte, error) { return nil, errors.New("not for gob") }

// UnmarshalText is for JSON.
func (t *Temperature) UnmarshalText([]byte) error { return errors.New("not for gob") }

// Opaque marshals itself.
type Opaque struct{ inner string }

// NewOpaque makes one.
func NewOpaque(inner string) Opaque { return Opaque{inner} }

// GobEncode writes it.
func (o Opaque) GobEncode() ([]byte, error) { return []byte("<" + o.inner + ">"), nil }

// GobDecode reads it.
func (o *Opaque) GobDecode(b []byte) error {
	if len(b) < 2 {
		return errors.New("too short")
	}
	o.inner = string(b[1 : len(b)-1])
	return nil
}

// Speaker is an interface that registered types implement.
type Speaker interface{ Speak() string }

// Dog speaks.
type Dog struct{ Age int }

// Speak is for Speaker.
func (Dog) Speak() string { return "woof" }

// Cat speaks through a pointer.
type Cat struct{ Lives int }

// Speak is for Speaker.
func (*Cat) Speak() string { return "miaow" }

// Fault is an error that travels.
type Fault struct{ Text string }

func (f *Fault) Error() string { return f.Text }

type private struct{ Number int }

// In a loop, a helper, and a generic function.
func init() {
	gob.Register(Dog{})
	gob.Register(&Cat{})
	gob.RegisterName("fault", new(Fault))
	for _, of := range []any{[]*Item{}, map[string]any{}, Price(0)} {
		gob.Register(of)
	}
	registerAll([]any{}, Pair[string, *Item]{})
	register(Names{})
	registerOf[Box[int]]()
	registerOf[[]Dog]()
	gob.Register(private{})
	// Beside the slice of pointers.
	gob.Register([]Item{})
	gob.Register(&plugin.BasicError{})
}

func registerAll(all ...any) {
	for _, of := range all {
		gob.Register(of)
	}
}

func register(of any) { gob.Register(of) }

func registerOf[T any]() {
	var zero T
	gob.Register(zero)
}

// Trader describes what the receiver serves.
type Trader interface {
	// Buy takes a map of things, and says so.
	Buy(*Map) *Order
	// Sell has a comment of its own at the receiver, too.
	Sell(Order) []*Item
}

// server is a receiver that is not exported.
type server struct{ calls atomic.Int64 }

func (s *server) Buy(args *Map, reply *Order) error { s.calls.Add(1); return nil }

// Sell sells.
func (*server) Sell(_ Order, _ *[]*Item) error { return nil }

func (*server) Count(_ any, _ *int) error                              { return nil }
func (*server) Fail(_ struct{}, _ *error) error                        { return nil }
func (*server) Times(_ []time.Time, _ *map[string]time.Duration) error { return nil }
func (*server) Know(_ **Known, _ **Known) error                        { return nil }
func (*server) Generic(_ Pair[int, Colour], _ *Box[Box[Key]]) error    { return nil }
func (*server) Walk(_ Item, _ *Places) error                           { return nil }
func (*server) Blob(_ []byte, _ *Digest) error                         { return nil }
func (*server) Raise(_ Level, _ *float64) error                        { return nil }

// Level is an alias of a type elsewhere.
type Level = stall.Level

// What net/rpc does not serve.
func (*server) hidden(_ int, _ *int) error      { return nil }
func (*server) NoReply(_ int) error             { return nil }
func (*server) ByValue(_ int, _ int) error      { return nil }
func (*server) Private(_ private, _ *int) error { return nil }
func (*server) NoError(_ int, _ *int)           {}
func (*server) Two(_ int, _ *int) (int, error)  { return 0, nil }

// Callback is served under a name of its own.
type Callback struct{ embedded }

type embedded struct{}

// Called is promoted from an embedded type.
func (embedded) Called(_ string, reply *string) error { return nil }

// Serve serves a callback.
func Serve() error {
	s := rpc.NewServer()
	if err := s.RegisterName("Call.Back", &Callback{}); err != nil {
		return err
	}
	return s.Register(new(Callback))
}

// Plugin joins the bazaar to net/rpc.
type Plugin struct{}

// Server returns the receiver.
func (*Plugin) Server(*plugin.MuxBroker) (any, error) { return &server{}, nil }

// Client returns the client.
func (*Plugin) Client(_ *plugin.MuxBroker, c *rpc.Client) (any, error) { return c, nil }

var (
	_ = hidden
	_ = (*server).hidden
	_ = Order{}.done
)
