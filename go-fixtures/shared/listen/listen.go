// Package listen makes the listener of a fixture that is no go-plugin server,
// where go-plugin would make its own (server.go, serverListener).
package listen

import (
	"net"
	"os"
	"runtime"
)

// AsPlugin listens on a unix socket of a new name, on Windows on any port of
// 127.0.0.1. Closing the listener removes the socket's file.
func AsPlugin() (net.Listener, error) {
	if runtime.GOOS == "windows" {
		return net.Listen("tcp", "127.0.0.1:0")
	}
	f, err := os.CreateTemp(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "plugin")
	if err != nil {
		return nil, err
	}
	path := f.Name()
	if err := f.Close(); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil {
		return nil, err
	}
	return net.Listen("unix", path)
}

// Announced is the listener's address as a handshake line has it:
// network|address.
func Announced(l net.Listener) string { return l.Addr().Network() + "|" + l.Addr().String() }
