// Package disobey makes a plugin fixture misbehave in the way that the
// environment asks for:
//
//	GOPLUG_FIXTURE=ignore-quit     keeps running after the host has ended it, so that it must be killed
//	GOPLUG_FIXTURE=slow-quit       ends 1 s after that, within the 2 s that go-plugin waits
//	GOPLUG_FIXTURE=hang-start      starts, logs, and never prints the handshake line
//	GOPLUG_FIXTURE=ignore-sigterm  SIGTERM does not end it (SIGINT never does, in any plugin)
//	GOPLUG_FIXTURE=no-mux          does not know PLUGIN_MULTIPLEX_GRPC, as go-plugin before v1.6.0
//	GOPLUG_FIXTURE_LAST_WORDS=N    writes N bytes of the pattern to stdout before it ends in mid-call (Exit, Crash)
//	GOPLUG_FIXTURE_MARKER=PATH     a clean end (Serve came back) writes "clean exit\n" to PATH
package disobey

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"example.com/goplug/fixtures/shared/linger"
	"example.com/goplug/fixtures/shared/pattern"
)

// Start is to be called before plugin.Serve, and what it returns after it.
func Start(logger hclog.Logger) (end func()) {
	mode := os.Getenv("GOPLUG_FIXTURE")
	switch mode {
	case "hang-start":
		logger.Info("never going to serve")
		linger.WhileParentLives()
	case "ignore-sigterm":
		signal.Ignore(syscall.SIGTERM)
	case "no-mux":
		_ = os.Unsetenv("PLUGIN_MULTIPLEX_GRPC")
	case "", "ignore-quit", "slow-quit":
	default:
		fmt.Fprintf(os.Stderr, "unknown GOPLUG_FIXTURE %q\n", mode)
		os.Exit(2)
	}
	return func() {
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
}

// LastWords is to be called before the process ends in mid-call.
func LastWords() {
	if n, err := strconv.Atoi(os.Getenv("GOPLUG_FIXTURE_LAST_WORDS")); err == nil {
		_, _ = pattern.WriteTo(os.Stdout, n)
	}
}
