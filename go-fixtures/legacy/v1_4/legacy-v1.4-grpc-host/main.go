// legacy-v1.4-grpc-host is a host on go-plugin v1.4.3 over gRPC. Package grpckv's Main says how it is used.
package main

import (
	"io"
	"os/exec"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/legacy/grpckv"
	"example.com/goplug/fixtures/legacy/v1_4/glue"
	"example.com/goplug/fixtures/legacy/v1_4/grpcglue"
)

func main() { grpckv.Main(start) }

func start(cmd *exec.Cmd, stdout, stderr, raw io.Writer) (*grpckv.Host, error) {
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  glue.Handshake,
		Plugins:          grpcglue.Set,
		Cmd:              cmd,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		SyncStdout:       stdout,
		SyncStderr:       stderr,
		Stderr:           raw,
		Logger:           hclog.NewNullLogger(),
	})
	protocol, err := client.Client()
	if err != nil {
		client.Kill()
		return nil, err
	}
	dispensed, err := protocol.Dispense("kv")
	if err != nil {
		client.Kill()
		return nil, err
	}
	return &grpckv.Host{Conn: *dispensed.(*grpckv.Conn), Ping: protocol.Ping, Kill: client.Kill}, nil
}
