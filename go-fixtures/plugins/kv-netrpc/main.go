// kv-netrpc serves the plugin "kv" over net/rpc; its methods are listed in
// package shared/kv. Environment:
//
//	GOPLUG_FIXTURE=ignore-quit     keeps running after Quit, so that it must be killed
//	GOPLUG_FIXTURE=slow-quit       ends 1 s after Quit, within the 2 s that go-plugin waits
//	GOPLUG_FIXTURE=hang-start      starts, logs, and never prints the handshake line
//	GOPLUG_FIXTURE=ignore-sigterm  SIGTERM does not end it (SIGINT never does, in any plugin)
//	GOPLUG_FIXTURE_MARKER=PATH     a clean end (Serve came back) writes "clean exit\n" to PATH
//
// Start-up faults are the plugin misbehave's.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/handshake"
	"example.com/goplug/fixtures/shared/kv"
	"example.com/goplug/fixtures/shared/linger"
)

func main() {
	logger := handshake.Logger("kv")
	logger.Debug("starting", "plugin", kv.Name)
	mode := os.Getenv("GOPLUG_FIXTURE")

	switch mode {
	case "hang-start":
		logger.Info("never going to serve")
		linger.WhileParentLives()
	case "ignore-sigterm":
		signal.Ignore(syscall.SIGTERM)
	case "", "ignore-quit", "slow-quit":
	default:
		fmt.Fprintf(os.Stderr, "unknown GOPLUG_FIXTURE %q\n", mode)
		os.Exit(2)
	}
	logger.Info("serving", "plugin", kv.Name, "protocol", "netrpc")

	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake.Config,
		Plugins:         plugin.PluginSet{kv.Name: &kv.Plugin{Receiver: kv.NewReceiver(logger)}},
		Logger:          logger,
	})

	switch mode {
	case "ignore-quit":
		logger.Warn("ignoring quit")
		linger.WhileParentLives()
	case "slow-quit":
		time.Sleep(time.Second)
	}
	if path := os.Getenv("GOPLUG_FIXTURE_MARKER"); path != "" {
		if err := os.WriteFile(path, []byte("clean exit\n"), 0o600); err != nil {
			logger.Error("marker", "error", err)
		}
	}
}
