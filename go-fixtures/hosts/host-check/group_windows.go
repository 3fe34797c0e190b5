package main

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// network is what plugins and brokers listen on.
const network = "tcp"

// where is the part of a handshake line that says where a plugin listens.
const where = `tcp\|127\.0\.0\.1:\d+`

// setGroup does nothing: on Windows the plugin's own process stands for its
// group.
func setGroup(*exec.Cmd) {}

func killGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
		_ = p.Release()
	}
}

// groupAlive tells whether the process lives. One that has ended can still be
// opened while somebody holds it.
func groupAlive(pid int) bool {
	const synchronize = 0x100000
	h, err := syscall.OpenProcess(synchronize, false, uint32(pid))
	if err != nil {
		return false
	}
	defer func() { _ = syscall.CloseHandle(h) }()
	event, err := syscall.WaitForSingleObject(h, 0)
	return err == nil && event == syscall.WAIT_TIMEOUT
}

// wasKilled tells whether a process was terminated: Go and Node give it the
// exit code 1 then.
func wasKilled(state *os.ProcessState) bool { return state.ExitCode() == 1 }

func groupOf(os.FileInfo) (int, bool) { return 0, false }

func resume(*os.Process) error { return errors.New("nothing on Windows resumes a process") }
