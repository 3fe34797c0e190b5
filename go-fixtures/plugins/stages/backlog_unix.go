//go:build unix

package main

import (
	"fmt"
	"net"
	"syscall"
	"time"
)

// fullBacklog returns an address that lets nobody connect any more, without
// refusing: the kernel drops what does not fit into the backlog.
func fullBacklog() string {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	check(err)
	check(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	check(syscall.Listen(fd, 0))
	name, err := syscall.Getsockname(fd)
	check(err)
	address := fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
	for {
		if _, err := net.DialTimeout("tcp", address, 200*time.Millisecond); err != nil {
			return address
		}
	}
}
