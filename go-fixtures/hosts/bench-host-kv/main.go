// bench-host-kv measures a Go host on any plugin that serves "kv":
//
//	bench-host-kv -mode MODE -n CALLS [-size BYTES] [-warmup CALLS] [-grpc] -- COMMAND ARGUMENTS...
//
// Modes: sequential and inflight64 (KV.Get of -size bytes, one call after
// another or 64 at a time), get1MiB (sequential, -size is 1 MiB), echo64k
// (sequential KV.Echo of 64 KiB), echo (of -size). It checks every answer's
// length, and prints one line of JSON: {"calls":N,"seconds":S,"mode":M,"size":B}.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/handshake"
	"example.com/goplug/fixtures/shared/kv"
	"example.com/goplug/fixtures/shared/kvgrpc"
	"example.com/goplug/fixtures/shared/pattern"
)

type result struct {
	Calls   int     `json:"calls"`
	Seconds float64 `json:"seconds"`
	Mode    string  `json:"mode"`
	Size    int     `json:"size"`
}

func main() {
	mode := flag.String("mode", "sequential", "sequential, inflight64, get1MiB, echo64k or echo")
	n := flag.Int("n", 10000, "measured calls")
	size := flag.Int("size", 64, "bytes of the value")
	warmup := flag.Int("warmup", -1, "calls before the measurement; by default a fifth of -n, at most 2000")
	overGRPC := flag.Bool("grpc", false, "over gRPC; without echo")
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(64)
	}
	if *warmup < 0 {
		*warmup = min(*n/5, 2000)
	}
	res, err := run(*mode, *n, *size, *warmup, *overGRPC, flag.Args())
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(res)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-host-kv:", err)
		os.Exit(1)
	}
}

func run(mode string, n, size, warmup int, overGRPC bool, command []string) (*result, error) {
	config := &plugin.ClientConfig{
		HandshakeConfig: handshake.Config,
		Plugins:         plugin.PluginSet{kv.Name: &kv.Plugin{}},
		Cmd:             exec.Command(command[0], command[1:]...),
		Logger:          hclog.NewNullLogger(),
	}
	if overGRPC {
		config.Plugins = plugin.PluginSet{kv.Name: &kvgrpc.Plugin{}}
		config.AllowedProtocols = []plugin.Protocol{plugin.ProtocolGRPC}
	}
	client := plugin.NewClient(config)
	defer client.Kill()
	protocol, err := client.Client()
	if err != nil {
		return nil, err
	}
	raw, err := protocol.Dispense(kv.Name)
	if err != nil {
		return nil, err
	}
	store := raw.(kv.Store)

	get := func() error {
		v, err := store.Get("bench")
		return checkLength(v, size, err)
	}
	var payload []byte
	echo := func() error {
		v, err := raw.(*kv.Client).Echo(payload)
		return checkLength(v, size, err)
	}
	call, inFlight := get, 1
	switch mode {
	case "sequential":
	case "inflight64":
		inFlight = 64
	case "get1MiB":
		size = 1 << 20
	case "echo64k":
		size, call = 1<<16, echo
	case "echo":
		call = echo
	default:
		return nil, fmt.Errorf("unknown mode %q", mode)
	}
	payload = pattern.Bytes(size)
	if err := store.Put("bench", payload); err != nil {
		return nil, err
	}
	if _, err := measure(warmup, inFlight, call); err != nil {
		return nil, err
	}
	took, err := measure(n, inFlight, call)
	if err != nil {
		return nil, err
	}
	return &result{Calls: n, Seconds: took.Seconds(), Mode: mode, Size: size}, nil
}

func checkLength(v []byte, size int, err error) error {
	if err == nil && len(v) != size {
		err = fmt.Errorf("an answer of %d bytes instead of %d", len(v), size)
	}
	return err
}

// measure makes n calls from inFlight goroutines and returns the time and the first error.
func measure(n, inFlight int, call func() error) (time.Duration, error) {
	var next atomic.Int64
	var first error
	var once sync.Once
	var wg sync.WaitGroup
	start := time.Now()
	for range inFlight {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for next.Add(1) <= int64(n) {
				if err := call(); err != nil {
					once.Do(func() { first = err })
					return
				}
			}
		}()
	}
	wg.Wait()
	return time.Since(start), first
}
