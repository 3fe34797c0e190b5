// legacy-v1.0-host is a host on go-plugin v1.0.1. Package common's Main says how it is used.
package main

import (
	"io"
	"os/exec"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/legacy/common"
	"example.com/goplug/fixtures/legacy/v1_0/glue"
)

func main() { common.Main(start) }

func start(cmd *exec.Cmd, stdout, stderr, raw io.Writer) (*common.Host, error) {
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: glue.Handshake,
		Plugins:         glue.Set(append([]string{"nope"}, common.Names...)...),
		Cmd:             cmd,
		SyncStdout:      stdout,
		SyncStderr:      stderr,
		Stderr:          raw,
		Logger:          hclog.NewNullLogger(),
	})
	protocol, err := client.Client()
	if err != nil {
		client.Kill()
		return nil, err
	}
	return &common.Host{
		Dispense: protocol.Dispense,
		Ping:     protocol.Ping,
		Kill:     client.Kill,
		Socket:   client.ReattachConfig().Addr.String(),
	}, nil
}
