// goatkit-host loads a GoatKit plugin in the order of GoatKit's loader (Client, Dispense, GKRegister, Init) and
// checks one thing about it:
//
//	goatkit-host [-json] [-minimal] -case NAME -- COMMAND ARGUMENTS...
//
// -json: the second generation of the contract; -minimal: with an environment that has nothing but PATH. It prints
// "ok", or what is wrong and exits 1. With -list it prints the cases.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"reflect"
	"sort"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"example.com/goplug/fixtures/goatkit/gkplugin"
)

// gkPlugin is a loaded plugin (GoatKit: GRPCPlugin).
type gkPlugin struct {
	client       *plugin.Client
	cmd          *exec.Cmd
	impl         gkplugin.GKPluginInterface
	registration *gkplugin.GKRegistration
	stdout       *bytes.Buffer
	host         *hostAPI
}

// callTimeout bounds one call, as the policy of the newer hosts does.
func (p *gkPlugin) callWithin(limit time.Duration, fn, args string) (string, error) {
	type answer struct {
		result json.RawMessage
		err    error
	}
	done := make(chan answer, 1)
	go func() {
		result, err := p.impl.Call(fn, json.RawMessage(args))
		done <- answer{result, err}
	}()
	select {
	case a := <-done:
		return string(a.result), a.err
	case <-time.After(limit):
		return "", fmt.Errorf("plugin call %q timed out after %s", fn, limit)
	}
}

func (p *gkPlugin) call(fn, args string) (string, error) {
	return p.callWithin(10*time.Second, fn, args)
}

func load(cmd *exec.Cmd, asJSON, minimal bool) (*gkPlugin, error) {
	host := &hostAPI{cache: map[string][]byte{}}
	var stdout bytes.Buffer
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: gkplugin.Handshake,
		Plugins: plugin.PluginSet{
			gkplugin.Name: &gkplugin.GKPluginPlugin{Host: host, PluginName: "stats", JSON: asJSON},
		},
		Cmd:              cmd,
		Logger:           hclog.New(&hclog.LoggerOptions{Name: "plugin", Output: os.Stderr, Level: hclog.Info}),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolNetRPC},
		SyncStdout:       &stdout,
		SkipHostEnv:      minimal,
	})
	fail := func(what string, err error) (*gkPlugin, error) {
		client.Kill()
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	rpcClient, err := client.Client()
	if err != nil {
		return fail("failed to create RPC client", err)
	}
	raw, err := rpcClient.Dispense(gkplugin.Name)
	if err != nil {
		return fail("failed to dispense plugin", err)
	}
	impl := raw.(gkplugin.GKPluginInterface)
	registration, err := impl.GKRegister()
	if err != nil {
		return fail("failed to get plugin registration", err)
	}
	return &gkPlugin{client, cmd, impl, registration, &stdout, host}, nil
}

func (p *gkPlugin) init() error {
	return p.impl.Init(map[string]string{"host_version": "0.6.4", "plugin_name": "stats"})
}

func same(what string, got, want any) error {
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%s: got %v, want %v", what, got, want)
	}
	return nil
}

// answers checks the result of a call, as JSON.
func (p *gkPlugin) answers(fn, args, want string) error {
	got, err := p.call(fn, args)
	if err != nil {
		return fmt.Errorf("%s: %w", fn, err)
	}
	var a, b any
	if err := json.Unmarshal([]byte(got), &a); err != nil {
		return fmt.Errorf("%s answered %q: %w", fn, got, err)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		return err
	}
	return same(fn, a, b)
}

// refuses checks the error of a call.
func (p *gkPlugin) refuses(fn, args, want string) error {
	got, err := p.call(fn, args)
	if err == nil {
		return fmt.Errorf("%s answered %s, and no error", fn, got)
	}
	return same(fn, err.Error(), want)
}

var cases = map[string]func(*gkPlugin) error{
	"register": func(p *gkPlugin) error {
		reg := p.registration
		week := reg.MenuItems[0].Children[0]
		return errors.Join(
			same("name", reg.Name+" "+reg.Version+" "+reg.License, "stats 1.2.0 Apache-2.0"),
			same("routes", reg.Routes[0].Middleware, []string{"auth", "admin"}),
			same("menu", reg.MenuItems[0].Order, 5),
			same("children", []string{week.ID, week.Children[0].ID}, []string{"stats.week", "stats.day"}),
			same("no more children", len(week.Children[0].Children), 0),
			same("widgets", []any{reg.Widgets[0].Refreshable, reg.Widgets[0].RefreshSec}, []any{true, 60}),
			same("jobs", reg.Jobs[0].Enabled, true),
			same("translations", reg.I18n.Translations["de"]["open"], "offene Tickets"),
			same("error codes", reg.ErrorCodes[0].HTTPStatus, 404),
			same("raw JSON", string(reg.CustomFields[0].Config), `{"options":["a","b"]}`),
			same("permissions", reg.Resources.Permissions[0].Scope, []string{"ticket"}),
			p.init(),
		)
	},
	"calls": func(p *gkPlugin) error {
		if err := p.init(); err != nil {
			return err
		}
		empty, err := p.call("echo", "")
		big := `"` + strings.Repeat("x", 1<<20) + `"`
		return errors.Join(err, same("no arguments", empty, ""),
			p.answers("echo", `{"a":[1,2,{"b":null}]}`, `{"a":[1,2,{"b":null}]}`),
			p.answers("echo", big, big),
			p.answers("config", `{}`, `{"host_version":"0.6.4","plugin_name":"stats"}`),
			p.refuses("nonsense", `{}`, "unknown function: nonsense"))
	},
	"tour": func(p *gkPlugin) error {
		if err := p.init(); err != nil {
			return err
		}
		return errors.Join(p.answers("tour", `{}`, tour), same("emails", p.host.emails, []string{"agent@example.org: Open"}))
	},
	"errors": func(p *gkPlugin) error {
		if err := p.init(); err != nil {
			return err
		}
		return errors.Join(
			p.refuses("host", `{"method":"db_query","args":{"query":"DROP TABLE ticket","args":[]}}`, "stats may not: DROP TABLE ticket"),
			p.refuses("host", `{"method":"no_such_method","args":{}}`, "unknown host API method: no_such_method"),
			p.refuses("host", `{"method":"plugin_call","args":{"plugin":"absent","function":"f","args":{}}}`, "plugin not found: absent"),
			p.answers("echo", `1`, `1`))
	},
	"timeout": func(p *gkPlugin) error {
		if err := p.init(); err != nil {
			return err
		}
		_, err := p.callWithin(200*time.Millisecond, "sleep", `{"ms":3000}`)
		if err == nil {
			return errors.New("a call of 3 s came back within 200 ms")
		}
		return p.answers("echo", `"still there"`, `"still there"`)
	},
	"shutdown": func(p *gkPlugin) error {
		if err := p.init(); err != nil {
			return err
		}
		if err := p.impl.Shutdown(); err != nil {
			return err
		}
		p.client.Kill()
		if !p.cmd.ProcessState.Success() {
			return fmt.Errorf("the plugin had to be killed: %s", p.cmd.ProcessState)
		}
		if out := p.stdout.String(); !strings.Contains(out, "[stats] initialized") || !strings.Contains(out, "[stats] shutting down") {
			return fmt.Errorf("the plugin's stdout is %q", out)
		}
		return nil
	},
	"refused": func(p *gkPlugin) error {
		err := p.impl.Init(map[string]string{"refuse": "no licence"})
		if err == nil {
			return errors.New("Init came back without an error")
		}
		return same("Init", err.Error(), "refused: no licence")
	},
}

func main() {
	name := flag.String("case", "", "the case")
	list := flag.Bool("list", false, "print the cases")
	asJSON := flag.Bool("json", false, "registration is JSON")
	minimal := flag.Bool("minimal", false, "an environment of PATH alone")
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
	if check == nil || flag.NArg() == 0 {
		flag.Usage()
		os.Exit(64)
	}
	cmd := exec.Command(flag.Arg(0), flag.Args()[1:]...)
	if *minimal {
		cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	}
	p, err := load(cmd, *asJSON, *minimal)
	if err == nil {
		err = check(p)
		p.client.Kill()
	}
	if err != nil {
		log.SetFlags(0)
		log.Fatal(err)
	}
	fmt.Println("ok")
}
