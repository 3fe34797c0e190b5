package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

// tour is what the plugin's function of that name answers when it is called first.
const tour = `{"affected":1,"rows":[{"id":1,"queue":"Raw"}],"greeting":{"greeting":"Hello, stats!"},"stored":true,
	"sent":true,"cached":"1","found":true,"missing":false,"status":200,"body":"POST https://example.org/ hi from stats",
	"site":"GoatFlow","text":"1 open tickets"}`

// hostAPI is a host in memory: one table, a cache, and canned answers.
type hostAPI struct {
	lock   sync.Mutex
	queues []string
	cache  map[string][]byte
	emails []string
}

func (h *hostAPI) DBQuery(caller, query string, args []any) ([]map[string]any, error) {
	h.lock.Lock()
	defer h.lock.Unlock()
	if !strings.HasPrefix(query, "SELECT ") {
		return nil, fmt.Errorf("%s may not: %s", caller, query)
	}
	rows := []map[string]any{}
	for i, queue := range h.queues {
		if queue == args[0] {
			rows = append(rows, map[string]any{"id": i + 1, "queue": queue})
		}
	}
	return rows, nil
}

func (h *hostAPI) DBExec(caller, query string, args []any) (int64, error) {
	h.lock.Lock()
	defer h.lock.Unlock()
	if !strings.HasPrefix(query, "INSERT ") {
		return 0, fmt.Errorf("%s may not: %s", caller, query)
	}
	h.queues = append(h.queues, args[0].(string))
	return 1, nil
}

func (h *hostAPI) CacheGet(key string) ([]byte, bool, error) {
	h.lock.Lock()
	defer h.lock.Unlock()
	value, found := h.cache[key]
	return value, found, nil
}

func (h *hostAPI) CacheSet(key string, value []byte, _ int) error {
	h.lock.Lock()
	defer h.lock.Unlock()
	h.cache[key] = value
	return nil
}

func (h *hostAPI) HTTPRequest(method, url string, headers map[string]string, body []byte) (int, []byte, error) {
	return 200, fmt.Appendf(nil, "%s %s %s from %s", method, url, body, headers["X-Plugin"]), nil
}

func (h *hostAPI) SendEmail(to, subject, _ string, _ bool) error {
	h.lock.Lock()
	defer h.lock.Unlock()
	h.emails = append(h.emails, to+": "+subject)
	return nil
}

func (h *hostAPI) ConfigGet(key string) (string, error) {
	if key != "site.name" {
		return "", fmt.Errorf("no such setting: %s", key)
	}
	return "GoatFlow", nil
}

func (h *hostAPI) Translate(key string, args []any) string {
	if key != "stats.open" {
		return key
	}
	return fmt.Sprintf("%v open tickets", args[0])
}

func (h *hostAPI) CallPlugin(_, name, fn string, args json.RawMessage) (json.RawMessage, error) {
	var req struct {
		Name string `json:"name"`
	}
	if name != "hello" || fn != "greet" {
		return nil, fmt.Errorf("plugin not found: %s", name)
	}
	if err := json.Unmarshal(args, &req); err != nil {
		return nil, err
	}
	return json.Marshal(map[string]string{"greeting": "Hello, " + req.Name + "!"})
}
