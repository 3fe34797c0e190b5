// mattermost-host is Mattermost's own plugin environment (NewEnvironment) with a server in memory behind it. It
// activates any plugin that does what mattermost-plugin does, and checks one thing about it:
//
//	mattermost-host [-v] -case NAME -- EXECUTABLE
//	mattermost-host -list
//
// EXECUTABLE is one file, as in a plugin's bundle. It prints "ok", or what is wrong and exits 1; the case "start"
// prints the milliseconds until the plugin's OnActivate had returned.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/mattermost/mattermost/server/public/shared/mlog"
)

const pluginID = "com.example.goplug"

// metrics are not kept.
type metrics struct{}

func (metrics) ObservePluginHookDuration(string, string, bool, float64) {}
func (metrics) ObservePluginMultiHookIterationDuration(string, float64) {}
func (metrics) ObservePluginMultiHookDuration(float64)                  {}
func (metrics) ObservePluginAPIDuration(string, string, bool, float64)  {}

type harness struct {
	server *server
	env    *plugin.Environment
	hooks  plugin.Hooks
}

func (h *harness) activate() error {
	if _, activated, err := h.env.Activate(pluginID); err != nil || !activated {
		return fmt.Errorf("not activated: %w", err)
	}
	hooks, err := h.env.HooksForPlugin(pluginID)
	h.hooks = hooks
	return err
}

// bundle makes a plugin's folder: a manifest, and the executable.
func bundle(folder, executable string) error {
	own := filepath.Join(folder, pluginID)
	if err := os.Mkdir(own, 0o755); err != nil {
		return err
	}
	manifest, err := json.Marshal(&model.Manifest{
		Id: pluginID, Name: "goplug", Version: "1.0.0", Server: &model.ManifestServer{Executable: "plugin"},
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(own, "plugin.json"), manifest, 0o644); err != nil {
		return err
	}
	return os.Symlink(executable, filepath.Join(own, "plugin"))
}

func newLogger(out *bytes.Buffer) (*mlog.Logger, error) {
	logger, err := mlog.NewLogger()
	if err != nil {
		return nil, err
	}
	return logger, mlog.AddWriterTarget(logger, out, true, mlog.StdAll...)
}

func run(executable string, check func(*harness) error, logs *bytes.Buffer) error {
	folder, err := os.MkdirTemp("", "mattermost-host-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := bundle(folder, executable); err != nil {
		return err
	}
	logger, err := newLogger(logs)
	if err != nil {
		return err
	}
	server := newServer()
	newAPI := func(*model.Manifest) plugin.API { return server }
	env, err := plugin.NewEnvironment(newAPI, server.db, folder, filepath.Join(folder, "webapp"), logger, metrics{})
	if err != nil {
		return err
	}
	err = check(&harness{server: server, env: env})
	env.Shutdown()
	logger.Shutdown()
	return err
}

func main() {
	name := flag.String("case", "", "the case")
	list := flag.Bool("list", false, "print the cases")
	verbose := flag.Bool("v", false, "print the server's log")
	flag.Parse()
	if *list {
		names := []string{}
		for name := range cases {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Println(strings.Join(names, "\n"))
		return
	}
	check := cases[*name]
	if check == nil || flag.NArg() != 1 {
		flag.Usage()
		os.Exit(64)
	}
	executable, err := filepath.Abs(flag.Arg(0))
	var logs bytes.Buffer
	if err == nil {
		err = within(50*time.Second, func() error { return run(executable, check, &logs) })
	}
	if err != nil || *verbose {
		os.Stderr.Write(logs.Bytes())
	}
	if err != nil {
		log.SetFlags(0)
		log.Fatal(err)
	}
	fmt.Println("ok")
}

func within(limit time.Duration, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	select {
	case err := <-done:
		return err
	case <-time.After(limit):
		return fmt.Errorf("not done after %s", limit)
	}
}
