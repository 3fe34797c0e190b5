// legacy-v1.0-plugin serves the common services on go-plugin v1.0.1 over net/rpc.
package main

import (
	"os"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/legacy/common"
	"example.com/goplug/fixtures/legacy/v1_0/glue"
)

func main() {
	logger := hclog.New(&hclog.LoggerOptions{
		Name: "legacy", Level: hclog.Trace, Output: os.Stderr, JSONFormat: true,
	})
	logger.Info("serving", "go-plugin", "v1.0.1")
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: glue.Handshake,
		Plugins:         glue.Set(common.Names...),
		Logger:          logger,
	})
}
