package kv

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"example.com/goplug/fixtures/shared/disobey"
	"example.com/goplug/fixtures/shared/endself"
	"example.com/goplug/fixtures/shared/pattern"
)

// Receiver implements the wire service; see the package comment.
type Receiver struct {
	logger hclog.Logger
	stderr *os.File
	mu     sync.RWMutex
	values map[string][]byte
}

// NewReceiver makes an empty store. Call it before plugin.Serve: it keeps the
// process's real stderr, which Serve replaces.
func NewReceiver(logger hclog.Logger) *Receiver {
	return &Receiver{logger: logger, stderr: os.Stderr, values: map[string][]byte{}}
}

func (r *Receiver) Put(args map[string]any, _ *any) error {
	key, ok := args["key"].(string)
	if !ok {
		return fmt.Errorf("key is %T, not string", args["key"])
	}
	value, ok := args["value"].([]byte)
	if !ok {
		return fmt.Errorf("value is %T, not []byte", args["value"])
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.values[key] = value
	return nil
}

func (r *Receiver) Get(key string, value *[]byte) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	v, ok := r.values[key]
	if !ok {
		return fmt.Errorf("key not found: %s", key)
	}
	*value = v
	return nil
}

func (r *Receiver) Echo(in []byte, out *[]byte) error {
	*out = in
	return nil
}

func (r *Receiver) Sleep(ms int, reply *int) error {
	time.Sleep(time.Duration(ms) * time.Millisecond)
	*reply = ms
	return nil
}

func (r *Receiver) Pid(_ any, reply *int) error {
	*reply = os.Getpid()
	return nil
}

func (r *Receiver) Env(name string, reply *string) error {
	*reply = os.Getenv(name)
	return nil
}

func (r *Receiver) WriteStdout(n int, reply *int) (err error) {
	*reply, err = pattern.WriteTo(os.Stdout, n)
	return err
}

func (r *Receiver) WriteStderr(n int, reply *int) (err error) {
	*reply, err = pattern.WriteTo(os.Stderr, n)
	return err
}

func (r *Receiver) Print(text string, reply *int) (err error) {
	*reply, err = io.WriteString(os.Stdout, text)
	return err
}

func (r *Receiver) PrintErr(text string, reply *int) (err error) {
	*reply, err = io.WriteString(os.Stderr, text)
	return err
}

func (r *Receiver) RawStderr(text string, reply *int) (err error) {
	*reply, err = io.WriteString(r.stderr, text)
	return err
}

func (r *Receiver) LogAll(message string, reply *int) error {
	levels := []hclog.Level{hclog.Trace, hclog.Debug, hclog.Info, hclog.Warn, hclog.Error}
	for n, level := range levels {
		r.logger.Log(level, message, "method", "LogAll", "n", n)
	}
	*reply = len(levels)
	return nil
}

func (r *Receiver) Hang(_ any, _ *any) error {
	for {
		time.Sleep(time.Hour)
	}
}

func (r *Receiver) Exit(code int, _ *any) error {
	r.logger.Warn("exit in mid-call", "code", code)
	disobey.LastWords()
	os.Exit(code)
	return nil
}

func (r *Receiver) Crash(message string, _ *any) error {
	disobey.LastWords()
	panic(message)
}

func (r *Receiver) KillSelf(_ any, _ *any) error {
	return endself.Kill()
}

func (r *Receiver) Block(ms int, reply *int) error {
	if err := block(ms); err != nil {
		return err
	}
	*reply = ms
	return nil
}

func (r *Receiver) Freeze(_ any, _ *any) error {
	return endself.Stop()
}
