// bench-host-kv measures a Go host on any plugin that serves "kv":
//
//	bench-host-kv -mode MODE (-n CALLS | -for TIME) [-size BYTES] [-warmup CALLS] [-grpc] [-repeat] -- COMMAND ARGUMENTS...
//
// Modes: sequential and inflightN, such as inflight64 (KV.Get of -size bytes, one
// call after another or N at a time), get1MiB and put1MiB (sequential, -size is 1 MiB),
// echo64k (sequential KV.Echo of 64 KiB), echo (of -size); over gRPC also
// stream.down and stream.up (messages of -size bytes, many a call; a message
// counts as a call). It checks every answer's length, and prints one line of
// JSON: {"calls":N,"seconds":S,"mode":M,"size":B}. With -repeat it measures, and
// prints a line, for every line of its stdin.
package main

import (
	"bufio"
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

// settings are the command line's.
type settings struct {
	mode         string
	n            int
	time         time.Duration
	size, warmup int
	overGRPC     bool
	repeat       bool
}

func main() {
	var s settings
	flag.StringVar(&s.mode, "mode", "sequential", "what is measured: see above")
	flag.IntVar(&s.n, "n", 10000, "measured calls")
	flag.DurationVar(&s.time, "for", 0, "measure for so long instead, and warm up for twice as long")
	flag.IntVar(&s.size, "size", 64, "bytes of the value or message")
	flag.IntVar(&s.warmup, "warmup", -1, "calls before the measurement; by default a fifth of -n, at most 2000")
	flag.BoolVar(&s.overGRPC, "grpc", false, "over gRPC; without echo")
	flag.BoolVar(&s.repeat, "repeat", false, "measure for every line of stdin")
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(64)
	}
	if s.warmup < 0 {
		s.warmup = min(s.n/5, 2000)
	}
	if err := run(s, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bench-host-kv:", err)
		os.Exit(1)
	}
}

func run(s settings, command []string) error {
	config := &plugin.ClientConfig{
		HandshakeConfig: handshake.Config,
		Plugins:         plugin.PluginSet{kv.Name: &kv.Plugin{}},
		Cmd:             exec.Command(command[0], command[1:]...),
		Logger:          hclog.NewNullLogger(),
	}
	if s.overGRPC {
		config.Plugins = plugin.PluginSet{kv.Name: &kvgrpc.Plugin{}}
		config.AllowedProtocols = []plugin.Protocol{plugin.ProtocolGRPC}
	}
	client := plugin.NewClient(config)
	defer client.Kill()
	protocol, err := client.Client()
	if err != nil {
		return err
	}
	raw, err := protocol.Dispense(kv.Name)
	if err != nil {
		return err
	}
	work, err := workloadOf(raw, s.mode, s.size)
	if err != nil {
		return err
	}
	if err := raw.(kv.Store).Put("bench", pattern.Bytes(work.size)); err != nil {
		return err
	}
	if s.time > 0 {
		_, _, err = work.measureFor(2 * s.time)
	} else {
		_, _, err = work.measure(s.warmup)
	}
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for !s.repeat || lines.Scan() {
		var calls int
		var took time.Duration
		if s.time > 0 {
			calls, took, err = work.measureFor(s.time)
		} else {
			calls, took, err = work.measure(s.n)
		}
		if err != nil {
			return err
		}
		res := result{Calls: calls * work.units, Seconds: took.Seconds(), Mode: s.mode, Size: work.size}
		if err := json.NewEncoder(os.Stdout).Encode(res); err != nil || !s.repeat {
			return err
		}
	}
	return lines.Err()
}

// measure makes n calls.
func (w *workload) measure(n int) (int, time.Duration, error) {
	return w.drive(func(number int64, _ time.Time) bool { return number <= int64(n) })
}

// measureFor makes calls for so long.
func (w *workload) measureFor(limit time.Duration) (int, time.Duration, error) {
	return w.drive(func(_ int64, start time.Time) bool { return time.Since(start) < limit })
}

// drive makes calls from inFlight goroutines as long as more says so, and
// returns their number, the time, and the first error.
func (w *workload) drive(more func(number int64, start time.Time) bool) (int, time.Duration, error) {
	var next, done atomic.Int64
	var first error
	var once sync.Once
	var wg sync.WaitGroup
	start := time.Now()
	for range w.inFlight {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for more(next.Add(1), start) {
				if err := w.call(); err != nil {
					once.Do(func() { first = err })
					return
				}
				done.Add(1)
			}
		}()
	}
	wg.Wait()
	return int(done.Load()), time.Since(start), first
}
