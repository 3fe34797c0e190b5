package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-plugin"
)

const cookieText = "This binary is a plugin. These are not meant to be executed directly.\n" +
	"Please execute the program that consumes these plugins, which will\n" +
	"load any plugins automatically\n"

func init() {
	for _, cookie := range []struct {
		name string
		env  []string
	}{
		{"missing", nil},
		{"wrong", []string{"BASIC_PLUGIN=goodbye"}},
		{"empty", []string{"BASIC_PLUGIN="}},
	} {
		add("all", "any", "cookie-"+cookie.name, "without the right cookie: Go's text on stderr, no line on stdout, exit code 1",
			func(h *harness) error {
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

	line := regexp.MustCompile(`^1\|1\|` + where + `\|netrpc\|\n$`)
	// The oldest hosts take all that follows the third bar for the address; Go plugins do not mind them.
	lineOrFour := regexp.MustCompile(`^1\|1\|` + where + `(\|netrpc\|)?\n$`)
	for _, v := range []struct{ name, about, versions, stderr string }{
		{"handshake-line", "the handshake line has six fields, the sixth empty", "PLUGIN_PROTOCOL_VERSIONS=1", ""},
		{"handshake-legacy-host", "a host that sends no list of versions gets the lowest, in a line of six fields or four", "", ""},
		{"handshake-versions", "the common version is found in any list", "PLUGIN_PROTOCOL_VERSIONS=7,3,1", ""},
		{"handshake-no-common", "without a common version the lowest is announced", "PLUGIN_PROTOCOL_VERSIONS=7,9", ""},
		{
			"handshake-bad-versions", "an entry that is no integer is reported on stderr and skipped",
			"PLUGIN_PROTOCOL_VERSIONS=x,1,", `server sent invalid plugin version "x"`,
		},
	} {
		add("all", "any", v.name, v.about, func(h *harness) error {
			env := []string{"BASIC_PLUGIN=hello", "PLUGIN_MIN_PORT=10000", "PLUGIN_MAX_PORT=25000"}
			if v.versions != "" {
				env = append(env, v.versions)
			}
			p, err := h.launch(env...)
			if err != nil {
				return err
			}
			pattern := line
			if v.versions == "" {
				pattern = lineOrFour
			}
			if !pattern.MatchString(p.line) {
				return fmt.Errorf("the line is %q", p.line)
			}
			if info, err := os.Stat(p.fields[3]); runtime.GOOS != "windows" && (err != nil || info.Mode().Type() != os.ModeSocket) {
				return fmt.Errorf("%s is no socket: %v", p.fields[3], err)
			}
			err = until(patience, fmt.Sprintf("stderr has no %s", v.stderr), func() bool {
				return strings.Contains(p.stderr.String(), v.stderr)
			})
			if err != nil {
				return err
			}
			return p.quitAndWait()
		})
	}
	add("all", "any", "handshake-multiplex", "PLUGIN_MULTIPLEX_GRPC gives a seventh field, a boolean", func(h *harness) error {
		p, err := h.launch(append([]string{"PLUGIN_MULTIPLEX_GRPC=true"}, hostEnv...)...)
		if err != nil {
			return err
		}
		if len(p.fields) != 7 {
			return fmt.Errorf("the line is %q", p.line)
		}
		if _, err := strconv.ParseBool(p.fields[6]); err != nil {
			return fmt.Errorf("the seventh field: %w", err)
		}
		return p.quitAndWait()
	})
	add("all", "any", "handshake-incompatible", "a host of other versions reports the plugin's, and no process is left", func(h *harness) error {
		_, err := h.start(func(c *plugin.ClientConfig) {
			c.Plugins = nil
			c.VersionedPlugins = map[int]plugin.PluginSet{7: pluginSet}
			c.ProtocolVersion = 7
		})
		const want = "start: incompatible API version with plugin. Plugin version: 1, Client versions: [7]"
		if err == nil || err.Error() != want {
			return fmt.Errorf("the error is %v", err)
		}
		return nil
	})
	add("all", "any", "socket-dir", "PLUGIN_UNIX_SOCKET_DIR is where the socket is", func(h *harness) error {
		dir, err := os.MkdirTemp("", "host-check")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		p, err := h.launch(append([]string{"PLUGIN_UNIX_SOCKET_DIR=" + dir}, hostEnv...)...)
		if err != nil {
			return err
		}
		if len(p.fields) < 4 || filepath.Dir(p.fields[3]) != dir {
			return fmt.Errorf("the line is %q", p.line)
		}
		if err := p.quitAndWait(); err != nil {
			return err
		}
		left, err := os.ReadDir(dir)
		if err != nil || len(left) > 0 {
			return fmt.Errorf("left in the directory: %v, %v", left, err)
		}
		return nil
	})
	add("all", "any", "socket-group", "PLUGIN_UNIX_SOCKET_GROUP sets the socket's group, and its mode to 0660", func(h *harness) error {
		gid := os.Getgid()
		if os.Getuid() == 0 {
			gid = 1 // another group than the process's own
		}
		p, err := h.launch(append([]string{fmt.Sprint("PLUGIN_UNIX_SOCKET_GROUP=", gid)}, hostEnv...)...)
		if err != nil {
			return err
		}
		if len(p.fields) < 4 {
			return fmt.Errorf("the line is %q", p.line)
		}
		info, err := os.Stat(p.fields[3])
		if err != nil {
			return err
		}
		if group, ok := groupOf(info); !ok || group != gid || info.Mode().Perm() != 0o660 {
			return fmt.Errorf("group %d, mode %o", group, info.Mode().Perm())
		}
		return p.quitAndWait()
	})
	add("all", "any", "socket-dir-missing", "a socket directory that does not exist: no handshake line, and the plugin ends", func(h *harness) error {
		p, err := h.launch(append([]string{"PLUGIN_UNIX_SOCKET_DIR=/nonexistent/directory"}, hostEnv...)...)
		if err != nil {
			return err
		}
		if p.line != "" {
			return fmt.Errorf("the line is %q", p.line)
		}
		_, err = p.waitExit(patience)
		return err
	})
	add("ts", "any", "tcp", "a plugin that was told to use TCP announces 127.0.0.1 and a port between PLUGIN_MIN_PORT and PLUGIN_MAX_PORT",
		func(h *harness) error {
			p, err := h.start(func(c *plugin.ClientConfig) { c.MinPort, c.MaxPort = 21000, 21100 })
			if err != nil {
				return err
			}
			var port int
			if n, err := fmt.Sscanf(p.addr().String(), "127.0.0.1:%d", &port); n != 1 || port < 21000 || port > 21100 {
				return fmt.Errorf("the address is %v, %v", p.addr(), err)
			}
			if err := p.greet(); err != nil {
				return err
			}
			return p.quit()
		})
	add("go", "any", "handshake-garbage", "go-plugin's own words for a line that is no handshake (shown by /bin/echo)", func(h *harness) error {
		echo := newHarness([]string{"/bin/echo", "no handshake"})
		_, err := echo.start(nil)
		defer func() { _ = echo.end(false) }()
		if err == nil || !strings.Contains(err.Error(), "Unrecognized remote plugin message: no handshake") {
			return errors.Join(errors.New("another error"), err)
		}
		return nil
	})
}
