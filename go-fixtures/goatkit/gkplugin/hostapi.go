package gkplugin

import (
	"encoding/json"
	"net/rpc"
)

// HostAPI is what a host offers to its plugins.
type HostAPI interface {
	DBQuery(caller, query string, args []any) ([]map[string]any, error)
	DBExec(caller, query string, args []any) (int64, error)
	CacheGet(key string) ([]byte, bool, error)
	CacheSet(key string, value []byte, ttlSeconds int) error
	HTTPRequest(method, url string, headers map[string]string, body []byte) (int, []byte, error)
	SendEmail(to, subject, body string, html bool) error
	ConfigGet(key string) (string, error)
	Translate(key string, args []any) string
	CallPlugin(caller, name, fn string, args json.RawMessage) (json.RawMessage, error)
}

// HostAPIRPCServer serves a HostAPI to one plugin. CallerName, if known, goes before what the plugin says of itself.
type HostAPIRPCServer struct {
	Host       HostAPI
	CallerName string
}

func (s *HostAPIRPCServer) Call(req HostAPIRequest, resp *HostAPIResponse) error {
	caller := s.CallerName
	if caller == "" {
		caller = req.CallerPlugin
	}
	result, err := dispatch(caller, s.Host, req.Method, req.Args)
	if err != nil {
		resp.Error = err.Error()
		return nil
	}
	resp.Result = result
	return nil
}

type statement struct {
	Query string `json:"query"`
	Args  []any  `json:"args"`
}

func dispatch(caller string, host HostAPI, method string, args json.RawMessage) (json.RawMessage, error) {
	switch method {
	case "db_query":
		var req statement
		if err := json.Unmarshal(args, &req); err != nil {
			return nil, err
		}
		rows, err := host.DBQuery(caller, req.Query, req.Args)
		return answer(rows, err)
	case "db_exec":
		var req statement
		if err := json.Unmarshal(args, &req); err != nil {
			return nil, err
		}
		affected, err := host.DBExec(caller, req.Query, req.Args)
		return answer(map[string]int64{"affected": affected}, err)
	case "cache_get":
		var req struct {
			Key string `json:"key"`
		}
		if err := json.Unmarshal(args, &req); err != nil {
			return nil, err
		}
		value, found, err := host.CacheGet(req.Key)
		return answer(map[string]any{"value": value, "found": found}, err)
	case "cache_set":
		var req struct {
			Key   string `json:"key"`
			Value []byte `json:"value"`
			TTL   int    `json:"ttl"`
		}
		if err := json.Unmarshal(args, &req); err != nil {
			return nil, err
		}
		return answer(map[string]bool{"ok": true}, host.CacheSet(req.Key, req.Value, req.TTL))
	case "http_request":
		var req struct {
			Method  string            `json:"method"`
			URL     string            `json:"url"`
			Headers map[string]string `json:"headers"`
			Body    []byte            `json:"body"`
		}
		if err := json.Unmarshal(args, &req); err != nil {
			return nil, err
		}
		status, body, err := host.HTTPRequest(req.Method, req.URL, req.Headers, req.Body)
		return answer(map[string]any{"status": status, "body": body}, err)
	case "send_email":
		var req struct {
			To      string `json:"to"`
			Subject string `json:"subject"`
			Body    string `json:"body"`
			HTML    bool   `json:"html"`
		}
		if err := json.Unmarshal(args, &req); err != nil {
			return nil, err
		}
		return answer(map[string]bool{"ok": true}, host.SendEmail(req.To, req.Subject, req.Body, req.HTML))
	case "config_get":
		var req struct {
			Key string `json:"key"`
		}
		if err := json.Unmarshal(args, &req); err != nil {
			return nil, err
		}
		value, err := host.ConfigGet(req.Key)
		return answer(map[string]string{"value": value}, err)
	case "translate":
		var req struct {
			Key  string `json:"key"`
			Args []any  `json:"args"`
		}
		if err := json.Unmarshal(args, &req); err != nil {
			return nil, err
		}
		return answer(map[string]string{"value": host.Translate(req.Key, req.Args)}, nil)
	case "plugin_call":
		var req struct {
			Plugin   string          `json:"plugin"`
			Function string          `json:"function"`
			Args     json.RawMessage `json:"args"`
		}
		if err := json.Unmarshal(args, &req); err != nil {
			return nil, err
		}
		return host.CallPlugin(caller, req.Plugin, req.Function, req.Args)
	default:
		return nil, &UnknownMethodError{Method: method}
	}
}

func answer(value any, err error) (json.RawMessage, error) {
	if err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// HostAPIRPCClient is how a plugin calls its host.
type HostAPIRPCClient struct {
	client  *rpc.Client
	service string
	name    string
}

func (c *HostAPIRPCClient) Call(method string, args any) (json.RawMessage, error) {
	data, err := json.Marshal(args)
	if err != nil {
		return nil, err
	}
	var resp HostAPIResponse
	req := HostAPIRequest{Method: method, Args: data, CallerPlugin: c.name}
	if err := c.client.Call(c.service, req, &resp); err != nil {
		return nil, err
	}
	if resp.Error != "" {
		return nil, &HostError{Message: resp.Error}
	}
	return resp.Result, nil
}

func (c *HostAPIRPCClient) DBQuery(query string, args ...any) ([]map[string]any, error) {
	result, err := c.Call("db_query", map[string]any{"query": query, "args": args})
	if err != nil {
		return nil, err
	}
	var rows []map[string]any
	err = json.Unmarshal(result, &rows)
	return rows, err
}

func (c *HostAPIRPCClient) DBExec(query string, args ...any) (int64, error) {
	result, err := c.Call("db_exec", map[string]any{"query": query, "args": args})
	if err != nil {
		return 0, err
	}
	var resp struct {
		Affected int64 `json:"affected"`
	}
	err = json.Unmarshal(result, &resp)
	return resp.Affected, err
}

func (c *HostAPIRPCClient) CallPlugin(name, fn string, args json.RawMessage) (json.RawMessage, error) {
	return c.Call("plugin_call", map[string]any{"plugin": name, "function": fn, "args": args})
}
