package gkplugin

import (
	"encoding/json"
	"fmt"
	"net/rpc"

	"github.com/hashicorp/go-plugin"
)

// ServePlugin is a plugin's main of the second generation.
func ServePlugin(impl GKPluginInterface) { serve(&GKPluginPlugin{Impl: impl, JSON: true}) }

// ServeFirstPlugin is a plugin's main of the first generation.
func ServeFirstPlugin(impl GKPluginInterface) { serve(&GKPluginPlugin{Impl: impl}) }

func serve(p *GKPluginPlugin) {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: Handshake,
		Plugins:         plugin.PluginSet{Name: p},
	})
}

// GKPluginPlugin is the definition for go-plugin, on both sides. JSON chooses the second generation.
type GKPluginPlugin struct {
	Impl       GKPluginInterface
	Host       HostAPI
	PluginName string
	JSON       bool
}

func (p *GKPluginPlugin) Server(b *plugin.MuxBroker) (any, error) {
	server := &GKPluginRPCServer{Impl: p.Impl, broker: b, service: "HostAPI.Call"}
	if !p.JSON {
		return &firstServer{server}, nil
	}
	server.service = "Plugin.Call"
	return &jsonServer{server}, nil
}

// Client begins to wait for the plugin's dial at once, so that Init must come within the broker's 5 s.
func (p *GKPluginPlugin) Client(b *plugin.MuxBroker, c *rpc.Client) (any, error) {
	id := b.NextId()
	go b.AcceptAndServe(id, &HostAPIRPCServer{Host: p.Host, CallerName: p.PluginName})
	return &GKPluginRPCClient{client: c, hostAPIID: id, json: p.JSON}, nil
}

// GKPluginRPCServer is the plugin's side. The generations differ in GKRegister alone, which their own types have.
type GKPluginRPCServer struct {
	Impl    GKPluginInterface
	broker  *plugin.MuxBroker
	service string
}

type firstServer struct{ *GKPluginRPCServer }

func (s *firstServer) GKRegister(_ any, resp *GKRegistration) error {
	reg, err := s.Impl.GKRegister()
	if err == nil {
		*resp = *reg
	}
	return err
}

type jsonServer struct{ *GKPluginRPCServer }

func (s *jsonServer) GKRegister(_ any, resp *[]byte) error {
	reg, err := s.Impl.GKRegister()
	if err == nil {
		*resp, err = json.Marshal(reg)
	}
	return err
}

func (s *GKPluginRPCServer) Init(req InitRequest, _ *any) error {
	withHost, ok := s.Impl.(GKPluginWithHost)
	if !ok || req.HostAPIID == 0 {
		return s.Impl.Init(req.Config)
	}
	conn, err := s.broker.Dial(req.HostAPIID)
	if err != nil {
		return err
	}
	host := &HostAPIRPCClient{client: rpc.NewClient(conn), service: s.service, name: req.Config["plugin_name"]}
	return withHost.InitWithHost(req.Config, host)
}

func (s *GKPluginRPCServer) Call(req CallRequest, resp *CallResponse) error {
	result, err := s.Impl.Call(req.Function, req.Args)
	if err != nil {
		resp.Error = err.Error()
		return nil
	}
	resp.Result = result
	return nil
}

func (s *GKPluginRPCServer) Shutdown(_ any, _ *any) error { return s.Impl.Shutdown() }

// GKPluginRPCClient is the host's side.
type GKPluginRPCClient struct {
	client    *rpc.Client
	hostAPIID uint32
	json      bool
}

func (c *GKPluginRPCClient) GKRegister() (*GKRegistration, error) {
	var reg GKRegistration
	if !c.json {
		return &reg, c.client.Call("Plugin.GKRegister", new(any), &reg)
	}
	var data []byte
	if err := c.client.Call("Plugin.GKRegister", new(any), &data); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &reg); err != nil {
		return nil, fmt.Errorf("failed to unmarshal registration: %w", err)
	}
	return &reg, nil
}

func (c *GKPluginRPCClient) Init(config map[string]string) error {
	var resp any
	return c.client.Call("Plugin.Init", InitRequest{Config: config, HostAPIID: c.hostAPIID}, &resp)
}

func (c *GKPluginRPCClient) Call(fn string, args json.RawMessage) (json.RawMessage, error) {
	var resp CallResponse
	if err := c.client.Call("Plugin.Call", CallRequest{Function: fn, Args: args}, &resp); err != nil {
		return nil, err
	}
	if resp.Error != "" {
		return nil, fmt.Errorf("%s", resp.Error)
	}
	return resp.Result, nil
}

func (c *GKPluginRPCClient) Shutdown() error {
	var resp any
	return c.client.Call("Plugin.Shutdown", new(any), &resp)
}
