package grpckv

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Conn is what an old host's Dispense gives.
type Conn struct {
	*grpc.ClientConn
	Broker Broker
}

// Host is a running plugin as its old host sees it.
type Host struct {
	Conn
	Ping func() error
	Kill func()
}

// Start is how an old go-plugin starts a plugin over gRPC: cmd with the synced
// streams and the raw stderr going to the writers.
type Start func(cmd *exec.Cmd, stdout, stderr, raw io.Writer) (*Host, error)

// Buffer may be read while it is written.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *Buffer) bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]byte(nil), b.b.Bytes()...)
}

type running struct {
	*Host
	stdout, stderr Buffer
}

var cases = []struct {
	name, about string
	run         func(context.Context, *running) error
}{
	{"kv", "Put and Get of 0, 64 and 1 MiB", func(ctx context.Context, r *running) error {
		for _, n := range []int{0, 64, 1 << 20} {
			if err := r.Invoke(ctx, "/proto.KV/Put", &Entry{"k", Pattern(n)}, &Empty{}); err != nil {
				return err
			}
			got := &Value{}
			if err := r.Invoke(ctx, "/proto.KV/Get", &Key{"k"}, got); err != nil || !bytes.Equal(got.Value, Pattern(n)) {
				return fmt.Errorf("of %d bytes came %d, %v", n, len(got.Value), err)
			}
		}
		return nil
	}},
	{"kv-missing-key", "Get of a missing key: NOT_FOUND and its text", func(ctx context.Context, r *running) error {
		err := r.Invoke(ctx, "/proto.KV/Get", &Key{"nowhere"}, &Value{})
		if s := status.Convert(err); s.Code() != codes.NotFound || s.Message() != "key not found: nowhere" {
			return fmt.Errorf("the error is %v", err)
		}
		return nil
	}},
	{"ping", "100 pings", func(_ context.Context, r *running) error {
		for i := 0; i < 100; i++ {
			if err := r.Ping(); err != nil {
				return err
			}
		}
		return nil
	}},
	{"counter-callback", "the plugin adds up through a helper of the host's", func(ctx context.Context, r *running) error {
		for i := int64(1); i <= 3; i++ {
			id := r.Broker.NextId()
			stop := Serve(r.Broker, id, func(a, b int64) int64 { return a + b })
			sum := &Number{}
			err := r.Invoke(ctx, "/goplug.fixtures.Counter/Put", &CounterPut{id, "k", 10}, sum)
			stop()
			if err != nil || sum.N != 10*i {
				return fmt.Errorf("the sum is %d, %v", sum.N, err)
			}
		}
		return nil
	}},
	{"counter-plugin-serves", "the host calls a helper of the plugin's", func(ctx context.Context, r *running) error {
		id := &BrokerID{}
		if err := r.Invoke(ctx, "/goplug.fixtures.Counter/Open", &Empty{}, id); err != nil {
			return err
		}
		c, err := r.Broker.Dial(id.ID)
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		sum := &Number{}
		if err := c.Invoke(ctx, "/goplug.fixtures.AddHelper/Sum", &Sum{40, 2}, sum); err != nil || sum.N != 1042 {
			return fmt.Errorf("the sum is %d, %v", sum.N, err)
		}
		return nil
	}},
	{"stdio", "100,000 bytes on each stream, synced (go-plugin v1.4.3 on; before, they are not)", func(ctx context.Context, r *running) error {
		for i, method := range []string{"WriteStdout", "WriteStderr"} {
			if err := r.Invoke(ctx, "/goplug.fixtures.Tools/"+method, &Number{100000}, &Number{}); err != nil {
				return err
			}
			buffer := []*Buffer{&r.stdout, &r.stderr}[i]
			for deadline := time.Now().Add(10 * time.Second); len(buffer.bytes()) < 100000 && time.Now().Before(deadline); {
				time.Sleep(10 * time.Millisecond)
			}
			if !bytes.Equal(buffer.bytes(), Pattern(100000)) {
				return fmt.Errorf("%s: %d bytes came", method, len(buffer.bytes()))
			}
		}
		return nil
	}},
}

// Main is the main function of every old gRPC host:
//
//	legacy-vN-grpc-host -case NAME[,NAME] -- COMMAND ARGUMENTS...
//	legacy-vN-grpc-host -list
//
// Prints "ok" (or "ok NAME" for several) and exits 0, or prints the failure and
// exits 1; 2 if a case is not done within 60 s. Every case ends with a graceful
// Kill: exit code 0.
func Main(start Start) {
	names := flag.String("case", "", "the case, or several with commas")
	list := flag.Bool("list", false, "print the cases")
	flag.Parse()
	if *list {
		for _, c := range cases {
			fmt.Printf("%s\t%s\n", c.name, c.about)
		}
		return
	}
	if *names == "" || flag.NArg() == 0 {
		flag.Usage()
		os.Exit(64)
	}
	log.SetOutput(io.Discard)
	chosen, code := strings.Split(*names, ","), 0
	for _, name := range chosen {
		suffix := ""
		if len(chosen) > 1 {
			suffix = " " + name
		}
		if err := runCase(name, start, flag.Args()); err != nil {
			fmt.Printf("FAIL%s: %v\n", suffix, err)
			code = 1
		} else {
			fmt.Printf("ok%s\n", suffix)
		}
	}
	os.Exit(code)
}

func runCase(name string, start Start, command []string) error {
	for _, c := range cases {
		if c.name != name {
			continue
		}
		var r running
		var raw Buffer
		cmd := exec.Command(command[0], command[1:]...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		killGroup := func() {
			if cmd.Process != nil {
				_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			}
		}
		defer killGroup()
		watchdog := time.AfterFunc(60*time.Second, func() {
			killGroup()
			fmt.Printf("FAIL: %s is not done within 60 s\n", name)
			os.Exit(2)
		})
		defer watchdog.Stop()
		ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
		defer cancel()
		var err error
		if r.Host, err = start(cmd, &r.stdout, &r.stderr, &raw); err == nil {
			if err = c.run(ctx, &r); err == nil {
				err = r.end(cmd)
			}
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "--- the plugin's stderr\n%s---\n", raw.bytes())
		}
		return err
	}
	return errors.New("no such case")
}

func (r *running) end(cmd *exec.Cmd) error {
	r.Kill()
	for deadline := time.Now().Add(10 * time.Second); cmd.ProcessState == nil && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	if cmd.ProcessState == nil || !cmd.ProcessState.Success() {
		return fmt.Errorf("no clean end: %v", cmd.ProcessState)
	}
	return nil
}
