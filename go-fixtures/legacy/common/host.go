package common

import (
	"bytes"
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
)

// Host is a running plugin as its old host sees it.
type Host struct {
	Dispense func(name string) (interface{}, error)
	Ping     func() error // nil where go-plugin had none
	Kill     func()
	Socket   string
}

// Start is how an old go-plugin starts a plugin: cmd with the synced streams and
// the raw stderr going to the writers.
type Start func(cmd *exec.Cmd, stdout, stderr, raw io.Writer) (*Host, error)

// buffer may be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]byte(nil), b.b.Bytes()...)
}

type run struct {
	*Host
	stdout, stderr buffer
}

// Main is the main function of every old host:
//
//	legacy-vN-host -case NAME[,NAME] -- COMMAND ARGUMENTS...
//	legacy-vN-host -list
//
// Prints "ok" (or "ok NAME" for several) and exits 0, or prints the failure and
// exits 1; 2 if a case is not done within 60 s.
func Main(start Start) {
	names := flag.String("case", "", "the case, or several with commas; all for all of them")
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
	var chosen []string
	if *names == "all" {
		for _, c := range cases {
			chosen = append(chosen, c.name)
		}
	} else {
		chosen = strings.Split(*names, ",")
	}
	code := 0
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
		var r run
		var raw buffer
		cmd := exec.Command(command[0], command[1:]...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		killGroup := func() {
			if cmd.Process != nil {
				_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			}
		}
		watchdog := time.AfterFunc(60*time.Second, func() {
			killGroup()
			fmt.Printf("FAIL: %s is not done within 60 s\n", name)
			os.Exit(2)
		})
		defer watchdog.Stop()
		defer killGroup()
		var err error
		if r.Host, err = start(cmd, &r.stdout, &r.stderr, &raw); err == nil {
			if err = c.run(&r); err == nil {
				err = r.quit(cmd)
			}
		}
		if err != nil {
			text := raw.bytes()
			if len(text) > 8192 {
				text = text[len(text)-8192:]
			}
			fmt.Fprintf(os.Stderr, "--- the plugin's stderr\n%s---\n", text)
		}
		return err
	}
	return errors.New("no such case")
}

// quit is a graceful Kill: the process ends by itself and takes its socket along.
func (r *run) quit(cmd *exec.Cmd) error {
	r.Kill()
	deadline := time.Now().Add(10 * time.Second)
	for cmd.ProcessState == nil && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	if cmd.ProcessState == nil || !cmd.ProcessState.Success() {
		return fmt.Errorf("no clean end: %v", cmd.ProcessState)
	}
	if _, err := os.Lstat(r.Socket); strings.HasPrefix(r.Socket, "/") && err == nil {
		return errors.New("the socket file is still there: " + r.Socket)
	}
	return nil
}
