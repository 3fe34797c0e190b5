//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// network is what plugins and brokers listen on.
const network = "unix"

// where is the part of a handshake line that says where a plugin listens.
const where = `unix\|/[^|]+`

// setGroup has the command start in a process group of its own, whose number
// is its pid.
func setGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func killGroup(group int) { _ = syscall.Kill(-group, syscall.SIGKILL) }

// groupAlive tells whether a process of the group lives; zombies do not.
func groupAlive(group int) bool {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return syscall.Kill(-group, 0) == nil
	}
	for _, e := range entries {
		if pgrp, state, ok := procStat(e.Name()); ok && pgrp == group && state != "Z" {
			return true
		}
	}
	return false
}

func procStat(pid string) (pgrp int, state string, ok bool) {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0, "", false
	}
	// pid (comm) state ppid pgrp ...; comm may hold anything.
	_, rest, found := strings.Cut(string(b[bytes.LastIndexByte(b, ')'):]), " ")
	if !found {
		return 0, "", false
	}
	var ppid int
	if _, err := fmt.Sscan(rest, &state, &ppid, &pgrp); err != nil {
		return 0, "", false
	}
	return pgrp, state, true
}

// wasKilled tells whether a process was ended by SIGKILL.
func wasKilled(state *os.ProcessState) bool {
	status, ok := state.Sys().(syscall.WaitStatus)
	return ok && status.Signal() == syscall.SIGKILL
}

// groupOf is the number of the group that a file belongs to.
func groupOf(info os.FileInfo) (int, bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Gid), true
}

// resume lets a stopped process go on.
func resume(process *os.Process) error { return process.Signal(syscall.SIGCONT) }
