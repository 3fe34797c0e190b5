// bench-start measures how long any plugin that serves "kv" takes from its
// launch to its first answer under a Go host:
//
//	bench-start [-n TIMES] -- COMMAND ARGUMENTS...
//
// It prints one line of JSON: {"milliseconds":[M,M,...]}.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/shared/handshake"
	"example.com/goplug/fixtures/shared/kv"
	"example.com/goplug/fixtures/shared/kvpb"
)

func main() {
	n := flag.Int("n", 1, "how often")
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(64)
	}
	var took []float64
	for range *n {
		start := time.Now()
		client, err := answered(flag.Args())
		took = append(took, float64(time.Since(start).Microseconds())/1000)
		client.Kill()
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench-start:", err)
			os.Exit(1)
		}
	}
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{"milliseconds": took})
}

// answered returns when a value was put.
func answered(command []string) (*plugin.Client, error) {
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  handshake.Config,
		Plugins:          plugin.PluginSet{kv.Name: &kv.Plugin{}},
		Cmd:              exec.Command(command[0], command[1:]...),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolNetRPC, plugin.ProtocolGRPC},
		Logger:           hclog.NewNullLogger(),
	})
	protocol, err := client.Client()
	if err != nil {
		return client, err
	}
	if c, ok := protocol.(*plugin.GRPCClient); ok {
		_, err = kvpb.NewKVClient(c.Conn).Put(context.Background(), &kvpb.PutRequest{Key: "k", Value: []byte("v")})
		return client, err
	}
	raw, err := protocol.Dispense(kv.Name)
	if err != nil {
		return client, err
	}
	return client, raw.(kv.Store).Put("k", []byte("v"))
}
