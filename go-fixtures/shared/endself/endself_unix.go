//go:build unix

package endself

import (
	"os"
	"syscall"
	"time"
)

// Kill sends SIGKILL to the own process.
func Kill() error { return signal(syscall.SIGKILL) }

// Stop sends SIGSTOP to the own process: alive, but deaf to everything.
func Stop() error { return signal(syscall.SIGSTOP) }

// signal does not come back before the signal has had its effect.
func signal(sig syscall.Signal) error {
	if err := syscall.Kill(os.Getpid(), sig); err != nil {
		return err
	}
	time.Sleep(time.Second)
	return nil
}
