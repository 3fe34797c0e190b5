package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc/codes"

	"example.com/goplug/fixtures/shared/kv"
	"example.com/goplug/fixtures/shared/pattern"
)

const noMux = "start: client requested gRPC broker multiplexing but plugin does not support the feature"

func init() {
	for _, cookie := range []struct {
		name string
		env  []string
	}{{"missing", nil}, {"wrong", []string{"BASIC_PLUGIN=goodbye"}}} {
		addGRPC("all", "kv", "cookie-"+cookie.name, "without the right cookie: Go's text on stderr, no line on stdout, exit code 1", func(h *harness) error {
			p, err := h.launch(cookie.env...)
			if err != nil {
				return err
			}
			state, err := p.waitExit(10 * time.Second)
			if err != nil {
				return err
			}
			if state.ExitCode() != 1 || p.line != "" || !strings.Contains(p.stderr.String(), cookieText) {
				return fmt.Errorf("exit code %d, stdout %q, stderr %q", state.ExitCode(), p.line, p.stderr.String())
			}
			return nil
		})
	}
	for _, line := range []struct{ name, about, env, pattern string }{
		{"handshake-line", "the handshake line has six fields, the sixth empty", "", `^1\|1\|` + where + `\|grpc\|\n$`},
		{"handshake-mux", "PLUGIN_MULTIPLEX_GRPC gives a seventh field, \"true\"", "PLUGIN_MULTIPLEX_GRPC=true", `^1\|1\|` + where + `\|grpc\|\|true\n$`},
	} {
		addGRPC("all", "kv", line.name, line.about, func(h *harness) error {
			env := hostEnv
			if line.env != "" {
				env = append(slices.Clone(hostEnv), line.env)
			}
			p, err := h.launch(env...)
			if err != nil {
				return err
			}
			if !regexp.MustCompile(line.pattern).MatchString(p.line) {
				return fmt.Errorf("the line is %q", p.line)
			}
			return p.endLaunched(line.env != "")
		})
	}
	addGRPC("all", "kv", "mux-off", "PLUGIN_MULTIPLEX_GRPC=false: a seventh field, and no multiplexing", func(h *harness) error {
		p, err := h.launch(append(slices.Clone(hostEnv), "PLUGIN_MULTIPLEX_GRPC=false")...)
		if err != nil {
			return err
		}
		if len(p.fields) != 7 {
			return fmt.Errorf("the line is %q", p.line)
		}
		return p.endLaunched(false)
	})
	addGRPC("all", "kv", "socket-dir", "PLUGIN_UNIX_SOCKET_DIR is where the socket is", func(h *harness) error {
		dir, err := os.MkdirTemp("", "host-check")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		p, _, err := h.startGRPC(plain, "PLUGIN_UNIX_SOCKET_DIR="+dir)
		if err != nil {
			return err
		}
		if got := filepath.Dir(p.addr().String()); got != dir {
			return fmt.Errorf("the socket is in %s", got)
		}
		return p.quit()
	})
	addGRPC("all", "kv", "bare-env", "runs with no environment but the host's variables", func(h *harness) error {
		p, err := h.start(func(c *plugin.ClientConfig) {
			c.SkipHostEnv, c.Plugins, c.AllowedProtocols = true, grpcSet, []plugin.Protocol{plugin.ProtocolGRPC}
		})
		if err != nil {
			return err
		}
		if err := p.rpc.Ping(); err != nil {
			return err
		}
		return p.quit()
	})
	addGRPC("ts", "kv", "tcp", "a plugin that was told to use TCP announces 127.0.0.1 and a port between PLUGIN_MIN_PORT and PLUGIN_MAX_PORT",
		func(h *harness) error {
			p, err := h.start(func(c *plugin.ClientConfig) {
				c.MinPort, c.MaxPort = 21200, 21300
				c.Plugins, c.AllowedProtocols = grpcSet, []plugin.Protocol{plugin.ProtocolGRPC}
			})
			if err != nil {
				return err
			}
			var port int
			if n, err := fmt.Sscanf(p.addr().String(), "127.0.0.1:%d", &port); n != 1 || port < 21200 || port > 21300 {
				return fmt.Errorf("the address is %v, %v", p.addr(), err)
			}
			c, err := p.dispenseGRPC()
			if err != nil {
				return err
			}
			if err := roundTrip(c, 1000); err != nil {
				return err
			}
			return p.quit()
		})
	addGRPC("all", "kv", "automtls-intruder", "a client without a certificate is refused by a plugin under AutoMTLS, and the host notices nothing", func(h *harness) error {
		return withGRPC(h, variants[1], func(p *peer, c *grpcConn) error {
			err := withCopy(p, func(other *grpcConn) error { return put(other.kv(), "a", []byte("b")) })
			if err := wantStatus(err, codes.Unavailable, ""); err != nil {
				return err
			}
			_, err = get(c.kv(), "a")
			return wantStatus(err, codes.NotFound, "")
		})
	})

	addGRPC("all", "kv", "not-allowed", "a host that speaks only net/rpc refuses the plugin, and no process is left", func(h *harness) error {
		_, err := h.start(nil)
		return wantError(err, `start: unsupported plugin protocol "grpc". Supported: [netrpc]`)
	})
	add("go", "greeter", "not-allowed", "a host that speaks only gRPC refuses a net/rpc plugin, and no process is left", func(h *harness) error {
		_, _, err := h.startGRPC(plain)
		return wantError(err, `start: unsupported plugin protocol "netrpc". Supported: [grpc]`)
	})
	add("go", "greeter", "mux-ignored", "a host that asks for multiplexing gets a net/rpc plugin all the same", func(h *harness) error {
		p, err := h.start(func(c *plugin.ClientConfig) { c.GRPCBrokerMultiplex = true })
		if err != nil {
			return err
		}
		if err := p.greet(); err != nil {
			return err
		}
		return p.quit()
	})
	addGRPC("go", "kv", "mux-unsupported", "a host that asks for multiplexing refuses a plugin that announces none", func(h *harness) error {
		_, _, err := h.startGRPC(variants[2], "GOPLUG_FIXTURE=no-mux")
		return wantError(err, noMux+"; for Go plugins, you will need to update the github.com/hashicorp/go-plugin dependency and recompile")
	})
	for _, field := range []struct{ name, want string }{
		{"false", noMux},
		{"perhaps", `start: error parsing "perhaps" as a boolean for gRPC broker multiplexing support`},
	} {
		addGRPC("go", "kv", "mux-"+field.name, "the same with \""+field.name+"\" in the seventh field (shown by /bin/sh)", func(*harness) error {
			shell := newHarness([]string{"/bin/sh", "-c", "echo '1|1|unix|/nonexistent/socket|grpc||" + field.name + "'; sleep 10"})
			defer func() { _ = shell.end(false) }()
			_, _, err := shell.startGRPC(variants[2])
			return wantError(err, field.want)
		})
	}

	for _, v := range []struct {
		name, about string
		offers      []int
		version     int
		tls         bool
	}{
		{"versioned-2", "a host of version 2 gets net/rpc", []int{2}, 2, false},
		{"versioned-3", "a host of version 3 gets gRPC", []int{3}, 3, false},
		{"versioned-both", "a host of versions 1, 2 and 3 gets gRPC", []int{1, 2, 3}, 3, false},
		{"versioned-2-tls", "a host of version 2 gets net/rpc, over AutoMTLS", []int{2}, 2, true},
		{"versioned-both-tls", "a host of versions 2 and 3 gets gRPC, over AutoMTLS", []int{2, 3}, 3, true},
	} {
		addGRPC("all", "versioned", v.name, v.about, func(h *harness) error { return negotiated(h, v.offers, v.version, v.tls) })
	}
	addGRPC("all", "versioned", "versioned-none", "a host of version 7 is told the lowest version", func(h *harness) error {
		_, err := h.start(offering([]int{7}, false))
		return wantError(err, "start: incompatible API version with plugin. Plugin version: 2, Client versions: [7]")
	})
	addGRPC("all", "versioned", "versioned-legacy", "a host that sends no list of versions is offered version 2 over net/rpc", func(h *harness) error {
		p, err := h.launch("BASIC_PLUGIN=hello")
		if err != nil {
			return err
		}
		// Four fields mean net/rpc, too: what a plugin from before gRPC prints.
		if len(p.fields) < 4 || p.fields[1] != "2" || len(p.fields) > 4 && p.fields[4] != "netrpc" {
			return fmt.Errorf("the line is %q", p.line)
		}
		return p.quitAndWait()
	})

	for _, fault := range []struct {
		name, about string
		do          func(net.Conn) error
	}{
		{"hang-up", "connections that are closed at once", func(net.Conn) error { return nil }},
		{"garbage", "connections with bytes that are no HTTP/2", func(c net.Conn) error {
			_, err := c.Write(pattern.Bytes(4096))
			return err
		}},
		{"http1", "connections with an HTTP/1.1 request", func(c net.Conn) error {
			_, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
			return err
		}},
		{"silent", "connections that say nothing for 200 ms", func(net.Conn) error {
			time.Sleep(200 * time.Millisecond)
			return nil
		}},
		{"preface-garbage", "connections with HTTP/2's preface and then garbage", func(c net.Conn) error {
			_, err := c.Write(append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), pattern.Bytes(4096)...))
			return err
		}},
	} {
		addGRPC("all", "kv", "fault-"+fault.name, "5 further "+fault.about+": the host notices nothing", func(h *harness) error {
			return withGRPC(h, plain, func(p *peer, c *grpcConn) error {
				for range 5 {
					conn, err := dialPlain(p.addr())
					if err != nil {
						return err
					}
					if err := fault.do(conn); err != nil {
						return err
					}
					if err := conn.Close(); err != nil {
						return err
					}
				}
				return errors.Join(p.rpc.Ping(), roundTrip(c, 1000))
			})
		})
	}
}

// endLaunched ends a launched plugin by its controller.
func (p *process) endLaunched(mux bool) error {
	addr, err := p.addr()
	if err != nil {
		return err
	}
	c, end, err := dialLaunched(addr, mux)
	if err != nil {
		return err
	}
	defer end()
	if err := shutdown(c); err != nil {
		return err
	}
	state, err := p.waitExit(patience)
	if err != nil {
		return err
	}
	if !state.Success() {
		return fmt.Errorf("no clean end: %v", state)
	}
	return nil
}

// offering gives the host these versions: 2 over net/rpc, the others over gRPC.
func offering(versions []int, tls bool) func(*plugin.ClientConfig) {
	return func(c *plugin.ClientConfig) {
		c.Plugins, c.ProtocolVersion, c.AutoMTLS = nil, 0, tls
		c.AllowedProtocols = []plugin.Protocol{plugin.ProtocolNetRPC, plugin.ProtocolGRPC}
		c.VersionedPlugins = map[int]plugin.PluginSet{}
		for _, version := range versions {
			c.VersionedPlugins[version] = grpcSet
			if version == 2 {
				c.VersionedPlugins[version] = pluginSet
			}
		}
	}
}

func negotiated(h *harness, offers []int, version int, tls bool) error {
	p, err := h.start(offering(offers, tls))
	if err != nil {
		return err
	}
	protocol := plugin.ProtocolGRPC
	if version == 2 {
		protocol = plugin.ProtocolNetRPC
	}
	if got := p.client.Protocol(); p.client.NegotiatedVersion() != version || got != protocol {
		return fmt.Errorf("negotiated: version %d over %s", p.client.NegotiatedVersion(), got)
	}
	var value []byte
	if version == 2 {
		c, err := p.dispense("kv")
		if err != nil {
			return err
		}
		store := &kv.Client{RPC: c.Client}
		if err := store.Put("key", []byte("value")); err != nil {
			return err
		}
		if value, err = store.Get("key"); err != nil {
			return err
		}
	} else {
		c, err := p.dispenseGRPC()
		if err != nil {
			return err
		}
		if err := put(c.kv(), "key", []byte("value")); err != nil {
			return err
		}
		if value, err = get(c.kv(), "key"); err != nil {
			return err
		}
	}
	if want := fmt.Sprintf("value (%d)", version); string(value) != want {
		return fmt.Errorf("the value is %q instead of %q", value, want)
	}
	return p.quit()
}
