// A program that holds generated definitions against Go itself. It is compiled together with a table of one contract's
// methods (table.go, written by the test), and works in two ways:
//
//	proof reflect           prints, as JSON, what reflection knows: the receivers' methods as net/rpc would serve them,
//	                        and what is registered with gob
//	proof run [options]     listens on a unix socket, and says so on standard output. The first connection is served: net/rpc
//	                        methods that compare what they are called with and answer with the reply of the day. The
//	                        second is called: each method with values of many kinds. The peer's methods hand every call on to the
//	                        first connection, and its answer back. So a value goes through the peer's definitions twice, as argument and as reply.
package main

import (
	"encoding/gob"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/rpc"
	"os"
	"reflect"
	"sort"
	"strings"
	"sync"
	_ "unsafe" // go:linkname
)

type method struct {
	service, name string
	arg, reply    reflect.Type
}

// Set by table.go.
var (
	methods   []method
	receivers = map[string]any{}
	// reflected are the Go program's own receivers.
	reflected = map[string]any{}
	// registrations are the names of the types that the contract has for interface values.
	registrations = map[string]bool{}
)

// registered is gob's own table of concrete types.
//
//go:linkname registered encoding/gob.nameToConcreteType
var registered sync.Map

func typeOf[T any]() reflect.Type { return reflect.TypeOf((*T)(nil)).Elem() }

func main() {
	if len(os.Args) > 1 && os.Args[1] == "reflect" {
		printReflected()
		return
	}
	flags := flag.NewFlagSet("run", flag.ExitOnError)
	socket := flags.String("socket", "", "path of the socket")
	flags.BoolVar(&strictMaps, "strict-maps", false, "tell nil maps from empty ones")
	flags.BoolVar(&safeInt64, "safe-int64", false, "no integer is beyond 2^53")
	flags.BoolVar(&plainNumbers, "plain-numbers", false, "builtin numbers in interfaces, too")
	_ = flags.Parse(os.Args[2:])
	if err := run(*socket); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func printReflected() {
	found := map[string][]string{}
	errorType := typeOf[error]()
	for name, receiver := range reflected {
		t := reflect.TypeOf(receiver)
		for i := 0; i < t.NumMethod(); i++ {
			// net/rpc's suitableMethods.
			m := t.Method(i).Type
			if m.NumIn() == 3 && m.In(2).Kind() == reflect.Pointer && public(m.In(1)) && public(m.In(2)) &&
				m.NumOut() == 1 && m.Out(0) == errorType {
				arg := m.In(1)
				for arg.Kind() == reflect.Pointer {
					arg = arg.Elem()
				}
				found[name] = append(found[name], fmt.Sprintf("%s %s %s", t.Method(i).Name, goName(arg), goName(m.In(2).Elem())))
			}
		}
		sort.Strings(found[name])
	}
	names := map[string]string{}
	registered.Range(func(key, value any) bool {
		names[key.(string)] = goName(value.(reflect.Type))
		return true
	})
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{"methods": found, "registered": names})
}

func public(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() == "" || 'A' <= t.Name()[0] && t.Name()[0] <= 'Z'
}

// goName is a type's name with its import path, or its spelling without one.
func goName(t reflect.Type) string {
	if t.Name() != "" && t.PkgPath() != "" {
		return t.PkgPath() + "." + t.Name()
	}
	return t.String()
}

// day is the call that is under way: what its argument and reply are.
var day struct {
	sync.Mutex
	method     method
	arg, reply reflect.Value
	failure    string
}

// serve is what each of the served methods does.
func serve(service, name string, arg, reply any) error {
	day.Lock()
	defer day.Unlock()
	if day.method.service != service || day.method.name != name {
		return fmt.Errorf("%s.%s is called, not %s.%s", service, name, day.method.service, day.method.name)
	}
	got := reflect.ValueOf(arg).Elem()
	if difference := differ(day.arg, got, "argument"); difference != "" {
		day.failure = difference
	}
	reflect.ValueOf(reply).Elem().Set(day.reply)
	return nil
}

type report struct {
	Methods  int      `json:"methods"`
	Calls    int      `json:"calls"`
	Types    []string `json:"types"`
	Skipped  []string `json:"skipped"`
	Failures []string `json:"failures"`
}

func run(socket string) error {
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	fmt.Println("listening")
	served, err := listener.Accept()
	if err != nil {
		return err
	}
	server := rpc.NewServer()
	for name, receiver := range receivers {
		if err := server.RegisterName(name, receiver); err != nil {
			return err
		}
	}
	go server.ServeConn(served)
	called, err := listener.Accept()
	if err != nil {
		return err
	}
	client := rpc.NewClient(called)
	r := report{Skipped: []string{}, Failures: []string{}}
	seen := map[reflect.Type]bool{}
	for _, m := range methods {
		r.Methods++
		encoded := 0
		for _, v := range variants(m) {
			arg, err := sample(m.arg, v, seen)
			if err != nil {
				r.Skipped = append(r.Skipped, fmt.Sprintf("%s.%s %v: %v", m.service, m.name, v, err))
				continue
			}
			reply, err := sample(m.reply, v, seen)
			if err != nil {
				r.Skipped = append(r.Skipped, fmt.Sprintf("%s.%s %v: %v", m.service, m.name, v, err))
				continue
			}
			encoded++
			r.Calls++
			if failure := call(client, m, arg, reply); failure != "" {
				r.Failures = append(r.Failures, fmt.Sprintf("%s.%s %v: %s", m.service, m.name, v, failure))
			}
		}
		if encoded == 0 {
			r.Failures = append(r.Failures, fmt.Sprintf("%s.%s: no value of it can be encoded", m.service, m.name))
		}
	}
	for t := range seen {
		r.Types = append(r.Types, goName(t))
	}
	sort.Strings(r.Types)
	return json.NewEncoder(os.Stdout).Encode(r)
}

// call calls a method of the peer. What arrives must be what arrives between two Go programs.
func call(client *rpc.Client, m method, arg, reply reflect.Value) string {
	wantArg, err := throughGo(arg)
	if err != nil {
		return "argument between Go programs: " + err.Error()
	}
	wantReply, err := throughGo(reply)
	if err != nil {
		return "reply between Go programs: " + err.Error()
	}
	day.Lock()
	day.method, day.arg, day.reply, day.failure = m, wantArg, reply, ""
	day.Unlock()
	got := reflect.New(m.reply)
	if err := client.Call(m.service+"."+m.name, arg.Addr().Interface(), got.Interface()); err != nil {
		return err.Error()
	}
	day.Lock()
	defer day.Unlock()
	if day.failure != "" {
		return day.failure
	}
	return differ(wantReply, got.Elem(), "reply")
}

// throughGo is what a value becomes on its way to another Go program; addressable.
func throughGo(v reflect.Value) (reflect.Value, error) {
	var wire strings.Builder
	if err := gob.NewEncoder(&wire).Encode(v.Addr().Interface()); err != nil {
		return v, err
	}
	to := reflect.New(v.Type())
	// As net/rpc's server makes its arguments, and its client gets replies.
	err := gob.NewDecoder(strings.NewReader(wire.String())).Decode(to.Interface())
	return to.Elem(), err
}
