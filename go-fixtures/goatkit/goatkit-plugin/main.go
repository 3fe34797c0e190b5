// goatkit-plugin is GoatKit's plugin "stats"; with the argument "json" of the second generation. Its functions:
//
//	echo    its arguments
//	config  what Init came with
//	tour    the results of calling each method of the host's API
//	host    {method, args}: calls that method of the host
//	sleep   {ms}
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"example.com/goplug/fixtures/goatkit/gkplugin"
)

type stats struct {
	config map[string]string
	host   *gkplugin.HostAPIRPCClient
}

func (p *stats) GKRegister() (*gkplugin.GKRegistration, error) {
	return &gkplugin.GKRegistration{
		Name:        "stats",
		Version:     "1.2.0",
		Description: "Statistics of tickets",
		Author:      "goplug",
		License:     "Apache-2.0",
		Routes: []gkplugin.RouteSpec{
			{Method: "GET", Path: "/admin/stats", Handler: "tour", Middleware: []string{"auth", "admin"}},
		},
		MenuItems: []gkplugin.MenuItemSpec{{
			ID: "stats", Label: "Statistics", Path: "/admin/stats", Location: "admin", Order: 5,
			Children: []gkplugin.MenuItemSpec{{
				ID: "stats.week", Label: "Week", Path: "/admin/stats/week", Location: "admin", Parent: "stats",
				Children: []gkplugin.MenuItemSpec{
					{ID: "stats.day", Label: "Day", Path: "/admin/stats/day", Location: "admin", Parent: "stats.week"},
				},
			}},
		}},
		Widgets: []gkplugin.WidgetSpec{
			{ID: "open", Title: "Open tickets", Handler: "tour", Location: "agent_home", Refreshable: true, RefreshSec: 60},
		},
		Jobs: []gkplugin.JobSpec{{ID: "count", Handler: "tour", Schedule: "0 * * * *", Enabled: true}},
		I18n: &gkplugin.I18nSpec{
			Namespace: "stats",
			Languages: []string{"en", "de"},
			Translations: map[string]map[string]string{
				"en": {"open": "open tickets"},
				"de": {"open": "offene Tickets"},
			},
		},
		ErrorCodes:   []gkplugin.ErrorCodeSpec{{Code: "no_data", Message: "There is no data", HTTPStatus: 404}},
		CustomFields: []gkplugin.CustomFieldSpec{{Name: "rank", EntityType: "agent", FieldType: "select", Config: []byte(`{"options":["a","b"]}`)}},
		Resources: &gkplugin.ResourceRequest{
			MemoryMB:    64,
			CallTimeout: "1s",
			Permissions: []gkplugin.Permission{{Type: "db", Access: "readwrite", Scope: []string{"ticket"}}},
		},
	}, nil
}

func (p *stats) Init(map[string]string) error { return fmt.Errorf("this plugin needs the host's API") }

func (p *stats) InitWithHost(config map[string]string, host *gkplugin.HostAPIRPCClient) error {
	if config["refuse"] != "" {
		return fmt.Errorf("refused: %s", config["refuse"])
	}
	p.config, p.host = config, host
	fmt.Println("[stats] initialized with config:", config)
	return nil
}

func (p *stats) Shutdown() error {
	fmt.Println("[stats] shutting down")
	return nil
}

func (p *stats) Call(fn string, args json.RawMessage) (json.RawMessage, error) {
	switch fn {
	case "echo":
		return args, nil
	case "config":
		return json.Marshal(p.config)
	case "tour":
		return p.tour()
	case "host":
		var req struct {
			Method string          `json:"method"`
			Args   json.RawMessage `json:"args"`
		}
		if err := json.Unmarshal(args, &req); err != nil {
			return nil, err
		}
		return p.host.Call(req.Method, req.Args)
	case "sleep":
		var req struct {
			MS int `json:"ms"`
		}
		if err := json.Unmarshal(args, &req); err != nil {
			return nil, err
		}
		time.Sleep(time.Duration(req.MS) * time.Millisecond)
		return json.Marshal(req.MS)
	default:
		return nil, fmt.Errorf("unknown function: %s", fn)
	}
}

// tour calls everything that a host has, and tells what it got.
func (p *stats) tour() (json.RawMessage, error) {
	var failed error
	call := func(method string, args map[string]any, reply any) {
		if failed != nil {
			return
		}
		result, err := p.host.Call(method, args)
		if err == nil {
			err = json.Unmarshal(result, reply)
		}
		failed = err
	}
	affected, err := p.host.DBExec("INSERT INTO ticket (queue) VALUES (?)", "Raw")
	if err != nil {
		return nil, err
	}
	rows, err := p.host.DBQuery("SELECT id, queue FROM ticket WHERE queue = ?", "Raw")
	if err != nil {
		return nil, err
	}
	greeting, err := p.host.CallPlugin("hello", "greet", json.RawMessage(`{"name":"stats"}`))
	if err != nil {
		return nil, err
	}
	var stored, sent struct{ OK bool }
	var cached, missing struct {
		Value []byte
		Found bool
	}
	var page struct {
		Status int
		Body   []byte
	}
	var site, text struct{ Value string }
	call("cache_set", map[string]any{"key": "open", "value": []byte("1"), "ttl": 60}, &stored)
	call("cache_get", map[string]any{"key": "open"}, &cached)
	call("cache_get", map[string]any{"key": "nothing"}, &missing)
	call("http_request", map[string]any{
		"method": "POST", "url": "https://example.org/", "headers": map[string]string{"X-Plugin": "stats"}, "body": []byte("hi"),
	}, &page)
	call("send_email", map[string]any{"to": "agent@example.org", "subject": "Open", "body": "1", "html": false}, &sent)
	call("config_get", map[string]any{"key": "site.name"}, &site)
	call("translate", map[string]any{"key": "stats.open", "args": []any{1}}, &text)
	if failed != nil {
		return nil, failed
	}
	return json.Marshal(map[string]any{
		"affected": affected, "rows": rows, "greeting": greeting, "stored": stored.OK, "sent": sent.OK,
		"cached": string(cached.Value), "found": cached.Found, "missing": missing.Found,
		"status": page.Status, "body": string(page.Body), "site": site.Value, "text": text.Value,
	})
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "json" {
		gkplugin.ServePlugin(&stats{})
	} else {
		gkplugin.ServeFirstPlugin(&stats{})
	}
}
