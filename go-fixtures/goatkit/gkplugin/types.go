// Package gkplugin is the plugin contract of GoatKit (github.com/goatkit/goatflow, pkg/plugin and
// pkg/plugin/grpcutil), rebuilt here because the Go module proxy does not serve that module: the same names, fields,
// JSON keys, wire methods and order of calls. Its "grpc" is net/rpc.
//
// Two generations are in use. The first answers GKRegister with the struct and calls the host as HostAPI.Call, a
// service that go-plugin's broker does not serve; the second answers with JSON and calls Plugin.Call.
package gkplugin

import (
	"encoding/json"

	"github.com/hashicorp/go-plugin"
)

// Name is what hosts dispense.
const Name = "gkplugin"

// Handshake is shared by hosts and plugins.
var Handshake = plugin.HandshakeConfig{
	ProtocolVersion:  1,
	MagicCookieKey:   "GOATKIT_PLUGIN",
	MagicCookieValue: "goatkit-v1",
}

// GKPluginInterface is what a plugin implements.
type GKPluginInterface interface {
	GKRegister() (*GKRegistration, error)
	Init(config map[string]string) error
	Call(fn string, args json.RawMessage) (json.RawMessage, error)
	Shutdown() error
}

// GKPluginWithHost is a plugin that calls its host.
type GKPluginWithHost interface {
	GKPluginInterface
	InitWithHost(config map[string]string, host *HostAPIRPCClient) error
}

// InitRequest is the argument of Init: HostAPIID is the broker id at which the host serves its API.
type InitRequest struct {
	Config    map[string]string
	HostAPIID uint32
}

type CallRequest struct {
	Function string
	Args     json.RawMessage
}

type CallResponse struct {
	Result json.RawMessage
	Error  string
}

// HostAPIRequest is a plugin's call of its host.
type HostAPIRequest struct {
	Method       string
	Args         json.RawMessage
	CallerPlugin string
}

type HostAPIResponse struct {
	Result json.RawMessage
	Error  string
}

// HostError is an error of the host's API, as its caller sees it.
type HostError struct{ Message string }

func (e *HostError) Error() string { return e.Message }

// UnknownMethodError is the host's answer to a method that it does not have.
type UnknownMethodError struct{ Method string }

func (e *UnknownMethodError) Error() string { return "unknown host API method: " + e.Method }

// GKRegistration is how a plugin describes itself.
type GKRegistration struct {
	Name           string            `json:"name"`
	Version        string            `json:"version"`
	Description    string            `json:"description"`
	Author         string            `json:"author"`
	License        string            `json:"license"`
	Homepage       string            `json:"homepage"`
	Routes         []RouteSpec       `json:"routes,omitempty"`
	MenuItems      []MenuItemSpec    `json:"menu_items,omitempty"`
	Widgets        []WidgetSpec      `json:"widgets,omitempty"`
	Jobs           []JobSpec         `json:"jobs,omitempty"`
	Templates      []TemplateSpec    `json:"templates,omitempty"`
	I18n           *I18nSpec         `json:"i18n,omitempty"`
	ErrorCodes     []ErrorCodeSpec   `json:"error_codes,omitempty"`
	HideMenuItems  []string          `json:"hide_menu_items,omitempty"`
	LandingPage    string            `json:"landing_page,omitempty"`
	Groups         []GroupSpec       `json:"groups,omitempty"`
	CustomFields   []CustomFieldSpec `json:"custom_fields,omitempty"`
	MinHostVersion string            `json:"min_host_version,omitempty"`
	Permissions    []string          `json:"permissions,omitempty"`
	Resources      *ResourceRequest  `json:"resources,omitempty"`
}

type GroupSpec struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

type RouteSpec struct {
	Method      string   `json:"method"`
	Path        string   `json:"path"`
	Handler     string   `json:"handler"`
	Middleware  []string `json:"middleware,omitempty"`
	Description string   `json:"description,omitempty"`
}

type MenuItemSpec struct {
	ID       string         `json:"id"`
	Label    string         `json:"label"`
	Icon     string         `json:"icon,omitempty"`
	Path     string         `json:"path"`
	Location string         `json:"location"`
	Parent   string         `json:"parent,omitempty"`
	Order    int            `json:"order,omitempty"`
	Children []MenuItemSpec `json:"children,omitempty"`
}

type WidgetSpec struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Handler     string `json:"handler"`
	Location    string `json:"location"`
	Size        string `json:"size,omitempty"`
	Order       int    `json:"order,omitempty"`
	Refreshable bool   `json:"refreshable,omitempty"`
	RefreshSec  int    `json:"refresh_sec,omitempty"`
}

type JobSpec struct {
	ID          string `json:"id"`
	Handler     string `json:"handler"`
	Schedule    string `json:"schedule"`
	Description string `json:"description,omitempty"`
	Enabled     bool   `json:"enabled"`
	Timeout     string `json:"timeout,omitempty"`
}

type TemplateSpec struct {
	Name     string `json:"name"`
	Path     string `json:"path"`
	Override bool   `json:"override,omitempty"`
}

type I18nSpec struct {
	Namespace    string                       `json:"namespace,omitempty"`
	Languages    []string                     `json:"languages,omitempty"`
	Translations map[string]map[string]string `json:"translations,omitempty"`
}

type ErrorCodeSpec struct {
	Code       string `json:"code"`
	Message    string `json:"message"`
	HTTPStatus int    `json:"http_status"`
}

type CustomFieldSpec struct {
	Name        string          `json:"name"`
	Label       string          `json:"label"`
	EntityType  string          `json:"entity_type"`
	FieldType   string          `json:"field_type"`
	Section     string          `json:"section,omitempty"`
	Order       int             `json:"order,omitempty"`
	Required    bool            `json:"required,omitempty"`
	Description string          `json:"description,omitempty"`
	Placeholder string          `json:"placeholder,omitempty"`
	Config      json.RawMessage `json:"config,omitempty"`
}

type ResourceRequest struct {
	MemoryMB        int          `json:"memory_mb,omitempty"`
	CallTimeout     string       `json:"call_timeout,omitempty"`
	InitTimeout     string       `json:"init_timeout,omitempty"`
	ShutdownTimeout string       `json:"shutdown_timeout,omitempty"`
	Permissions     []Permission `json:"permissions,omitempty"`
}

type Permission struct {
	Type   string   `json:"type"`
	Access string   `json:"access,omitempty"`
	Scope  []string `json:"scope,omitempty"`
}
