// hooks-host is an application that runs a plugin with hooks (examples/hooks-server/hooks.proto) by go-plugin, as
// Mattermost's server runs its Python plugins: with its API at a TCP address that the plugin's environment names. It
// checks one thing:
//
//	hooks-host -case NAME -- COMMAND ARGUMENTS...
//	hooks-host -list
//
// It prints "ok", or what is wrong, then the plugin's log, and exits 1.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"example.com/goplug/fixtures/shared/hookspb"
)

var handshake = plugin.HandshakeConfig{
	ProtocolVersion:  1,
	MagicCookieKey:   "MATTERMOST_PLUGIN",
	MagicCookieValue: "Securely message teams, anywhere.",
}

// hooks is what Dispense gives.
type hooks struct {
	hookspb.PluginHooksClient
	conn *grpc.ClientConn
}

type definition struct{ plugin.NetRPCUnsupportedPlugin }

func (definition) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("a host serves nothing")
}

func (definition) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return &hooks{hookspb.NewPluginHooksClient(c), c}, nil
}

// api is the application's side.
type api struct {
	hookspb.UnimplementedPluginAPIServer
	lock   sync.Mutex
	values map[string][]byte
}

func (a *api) KVSet(_ context.Context, req *hookspb.KVSetRequest) (*hookspb.KVSetResponse, error) {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.values[req.Key] = req.Value
	return &hookspb.KVSetResponse{}, nil
}

func (a *api) KVGet(_ context.Context, req *hookspb.KVGetRequest) (*hookspb.KVGetResponse, error) {
	a.lock.Lock()
	defer a.lock.Unlock()
	value, ok := a.values[req.Key]
	if !ok {
		return nil, status.Errorf(codes.NotFound, "no such key: %s", req.Key)
	}
	return &hookspb.KVGetResponse{Value: value}, nil
}

type app struct {
	*hooks
	ctx    context.Context
	client *plugin.Client
	cmd    *exec.Cmd
	api    *api
	stdout *safeBuffer
	stderr *safeBuffer
}

// safeBuffer is written by go-plugin while it is read here.
type safeBuffer struct {
	lock sync.Mutex
	data bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.data.Write(p)
}

func (b *safeBuffer) String() string {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.data.String()
}

func (a *app) command(text string) (string, error) {
	response, err := a.ExecuteCommand(a.ctx, &hookspb.ExecuteCommandRequest{Command: text})
	return response.GetText(), err
}

func (a *app) answers(command, want string) error {
	got, err := a.command(command)
	if err == nil && got != want {
		err = fmt.Errorf("%s: got %q, want %q", command, got, want)
	}
	return err
}

type options struct {
	env      []string
	autoMTLS bool
}

func start(ctx context.Context, command []string, o options) (*app, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &app{ctx: ctx, api: &api{values: map[string][]byte{}}, stdout: &safeBuffer{}, stderr: &safeBuffer{}}
	server := grpc.NewServer()
	hookspb.RegisterPluginAPIServer(server, a.api)
	go server.Serve(listener)
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append([]string{
		"MATTERMOST_PLUGIN_ID=com.example.hooks",
		"MATTERMOST_PLUGIN_API_TARGET=" + listener.Addr().String(),
	}, o.env...)
	a.cmd = cmd
	a.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  handshake,
		Plugins:          plugin.PluginSet{"hooks": definition{}},
		Cmd:              cmd,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         o.autoMTLS,
		Logger:           hclog.New(&hclog.LoggerOptions{Output: a.stderr, Level: hclog.Debug}),
		SyncStdout:       a.stdout,
	})
	rpcClient, err := a.client.Client()
	if err != nil {
		return a, err
	}
	raw, err := rpcClient.Dispense("hooks")
	if err != nil {
		return a, err
	}
	a.hooks = raw.(*hooks)
	return a, nil
}

type check struct {
	options
	run func(*app) error
}

func wantCode(err error, code codes.Code, text string) error {
	if status.Code(err) != code || !strings.Contains(err.Error(), text) {
		return fmt.Errorf("got %v, want %s with %q", err, code, text)
	}
	return nil
}

func until(what string, holds func() bool) error {
	for range 500 {
		if holds() {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("did not happen: %s", what)
}

func hooksAndAPI(a *app) error {
	if addr := a.client.ReattachConfig().Addr; addr.Network() != "tcp" || !strings.HasPrefix(addr.String(), "127.0.0.1:") {
		return fmt.Errorf("the plugin is at %s %s", addr.Network(), addr)
	} else if err := a.answers("port", addr.String()[len("127.0.0.1:"):]); err != nil {
		return err
	}
	implemented, err := a.Implemented(a.ctx, &hookspb.ImplementedRequest{})
	if err != nil {
		return err
	}
	if got := strings.Join(implemented.Hooks, " "); got != "OnActivate OnDeactivate MessageWillBePosted ExecuteCommand" {
		return fmt.Errorf("implemented: %s", got)
	}
	if err := a.answers("connected", "false"); err != nil {
		return fmt.Errorf("before the API is used: %w", err)
	}
	if _, err := a.OnActivate(a.ctx, &hookspb.OnActivateRequest{}); err != nil {
		return err
	}
	if got := string(a.api.values["activated"]); got != "com.example.hooks" {
		return fmt.Errorf("the plugin's id is %q", got)
	}
	post := &hookspb.Post{Id: "1", UserId: "ann", Message: "hello"}
	posted, err := a.MessageWillBePosted(a.ctx, &hookspb.MessageWillBePostedRequest{Post: post})
	if err != nil {
		return err
	}
	if posted.Post.GetMessage() != "HELLO" || posted.Post.GetUserId() != "ann" {
		return fmt.Errorf("posted: %v", posted)
	}
	post.Message = "this is forbidden"
	rejected, err := a.MessageWillBePosted(a.ctx, &hookspb.MessageWillBePostedRequest{Post: post})
	if err != nil {
		return err
	}
	if rejected.Post != nil || rejected.RejectionReason != "rejected: forbidden" {
		return fmt.Errorf("rejected: %v", rejected)
	}
	_, unknown := a.command("dance")
	_, missing := a.command("get nothing")
	return errors.Join(a.answers("get activated", "com.example.hooks"), a.answers("connected", "true"),
		wantCode(unknown, codes.Unknown, "unknown command: dance"), wantCode(missing, codes.NotFound, "no such key: nothing"))
}

var checks = map[string]check{
	"hooks": {run: hooksAndAPI},
	"tls":   {options{autoMTLS: true}, hooksAndAPI},
	"health": {run: func(a *app) error {
		for _, name := range []string{"plugin", ""} {
			got, err := grpc_health_v1.NewHealthClient(a.conn).Check(a.ctx, &grpc_health_v1.HealthCheckRequest{Service: name})
			if err != nil || got.Status != grpc_health_v1.HealthCheckResponse_SERVING {
				return fmt.Errorf("health of %q: %v %w", name, got, err)
			}
		}
		return nil
	}},
	"timeout": {options{env: []string{"MATTERMOST_PLUGIN_HOOK_TIMEOUT=0.3"}}, func(a *app) error {
		_, err := a.command("sleep 20000")
		return errors.Join(wantCode(err, codes.DeadlineExceeded, "hook ExecuteCommand took longer than 300 ms"),
			a.answers("sleep 1", "slept 1"),
			until("the hook's signal", func() bool { return strings.Contains(a.stderr.String(), "told to stop") }))
	}},
	"big": {run: func(a *app) error {
		const size = 20 << 20
		got, err := a.command(fmt.Sprintf("big %d", size))
		if err != nil || len(got) != size {
			return fmt.Errorf("%d bytes, %w", len(got), err)
		}
		_, err = a.command("nothing " + strings.Repeat("x", 63<<20))
		if err := wantCode(err, codes.Unknown, "unknown command"); err != nil {
			return err
		}
		_, err = a.command("nothing " + strings.Repeat("x", 65<<20))
		return wantCode(err, codes.ResourceExhausted, "")
	}},
	"output": {options{env: []string{"MATTERMOST_PLUGIN_LOG_LEVEL=WARNING"}}, func(a *app) error {
		err := a.answers("print words", "printed")
		if _, activated := a.OnActivate(a.ctx, &hookspb.OnActivateRequest{}); activated != nil {
			return activated
		}
		return errors.Join(err, until("the plugin's stdout", func() bool { return a.stdout.String() == "words\n" }),
			map[bool]error{true: errors.New("what is logged below the level came out")}[strings.Contains(a.stderr.String(), "activated")])
	}},
	"again": {run: func(a *app) error { return a.answers("again", "ERR_SERVE_TWICE") }},
	"kill": {run: func(a *app) error {
		a.client.Kill()
		if !a.cmd.ProcessState.Success() {
			return fmt.Errorf("the plugin had to be killed: %s", a.cmd.ProcessState)
		}
		return nil
	}},
}

func main() {
	name := flag.String("case", "", "the case")
	list := flag.Bool("list", false, "print the cases")
	flag.Parse()
	if *list {
		names := []string{}
		for name := range checks {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Println(strings.Join(names, "\n"))
		return
	}
	c, ok := checks[*name]
	if !ok || flag.NArg() == 0 {
		flag.Usage()
		os.Exit(64)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	a, err := start(ctx, flag.Args(), c.options)
	if err == nil {
		err = c.run(a)
	}
	if a != nil && a.client != nil {
		a.client.Kill()
	}
	if err != nil {
		log.SetFlags(0)
		log.Fatalf("%v\n%s", err, a.stderr)
	}
	fmt.Println("ok")
}
