package endself

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

var suspend = syscall.NewLazyDLL("ntdll.dll").NewProc("NtSuspendProcess")

// Kill terminates the own process, as others do it: with exit code 1.
func Kill() error {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	if err := self.Kill(); err != nil {
		return err
	}
	time.Sleep(time.Second)
	return nil
}

// Stop suspends the own process: alive, but deaf to everything.
func Stop() error {
	self, err := syscall.GetCurrentProcess()
	if err != nil {
		return err
	}
	if status, _, _ := suspend.Call(uintptr(self)); status != 0 {
		return fmt.Errorf("NtSuspendProcess: %#x", status)
	}
	return nil
}
