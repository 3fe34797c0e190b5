//go:build unix

package kv

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// block stops the whole process for so many milliseconds.
func block(ms int) error {
	// A child wakes the process up again: it cannot do it itself.
	script := fmt.Sprintf("sleep %d.%03d; kill -CONT %d", ms/1000, ms%1000, os.Getpid())
	waker := exec.Command("/bin/sh", "-c", script)
	if err := waker.Start(); err != nil {
		return err
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGSTOP); err != nil {
		return err
	}
	return waker.Wait()
}
