//go:build go1.22

package main

// FormatVersion is the number under which the contract's shape is known; docs/contract.md describes it.
const FormatVersion = 1

// Contract is all that a peer needs to know of a Go program's net/rpc services.
type Contract struct {
	Version int `json:"goplugContract"`
	// From is "source" or "binary".
	From string `json:"from"`
	// Go is the release whose standard library the types were taken from.
	Go       string   `json:"go"`
	Packages []string `json:"packages"`
	// Modules are those that the types come from, with their versions.
	Modules map[string]string `json:"modules"`
	// Missing names what could not be had from the place that was looked at, such as comments in a binary.
	Missing  []string   `json:"missing,omitempty"`
	Services []*Service `json:"services"`
	// Types are the named ones that the services and registrations reach, by import path and name.
	Types         map[string]*Type `json:"types"`
	Registrations []*Registration  `json:"registrations"`
	Constants     []*Constant      `json:"constants"`
	Plugins       []*Plugin        `json:"plugins"`
	PluginSets    []*PluginSet     `json:"pluginSets"`
	Handshakes    []*Handshake     `json:"handshakes"`
	// Warnings are for the reader of the generator's output: what was seen but could not be resolved.
	Warnings []string `json:"warnings,omitempty"`
}

// Service is a net/rpc receiver.
type Service struct {
	// Type is the receiver's import path and name.
	Type    string `json:"type"`
	Name    string `json:"name"`
	Package string `json:"package"`
	// Served are the names it is registered under; go-plugin's own is "Plugin".
	Served  []string  `json:"served"`
	Doc     string    `json:"doc,omitempty"`
	Methods []*Method `json:"methods"`
}

// Method is one that net/rpc would serve.
type Method struct {
	Name string `json:"name"`
	Doc  string `json:"doc,omitempty"`
	// Arg and Reply are without the pointers that net/rpc wants or allows.
	Arg   Ref `json:"arg"`
	Reply Ref `json:"reply"`
	// Unsendable says why gob refuses the argument or the reply.
	Unsendable string `json:"unsendable,omitempty"`
}

// Ref is a reference to a type: the name of a builtin one ("int", "string", "any"), or an object with one of the keys
// named, interface, pointer, slice, array (with length), map (with elem), struct (fields), unsendable.
type Ref any

// Type is a named type.
type Type struct {
	Package     string `json:"package"`
	PackageName string `json:"packageName"`
	Name        string `json:"name"`
	Doc         string `json:"doc,omitempty"`
	// Args are the type arguments of a generic type's instance.
	Args []Ref `json:"args,omitempty"`
	// Type is the underlying type; absent when the type marshals itself.
	Type      Ref        `json:"type,omitempty"`
	Marshaler *Marshaler `json:"marshaler,omitempty"`
}

// Marshaler says how a type marshals itself.
type Marshaler struct {
	// Kind is "gob" or "binary"; gob does not look at MarshalText.
	Kind string `json:"kind"`
	// Pointer: the method has a pointer receiver, so that gob sends even a zero value.
	Pointer bool `json:"pointer"`
	// Via is the embedded type whose method it is.
	Via string `json:"via,omitempty"`
}

// Field is a struct's field that gob sends.
type Field struct {
	Name     string `json:"name"`
	Type     Ref    `json:"type"`
	Doc      string `json:"doc,omitempty"`
	Embedded bool   `json:"embedded,omitempty"`
}

// Dropped is a field that gob leaves out.
type Dropped struct {
	Name string `json:"name"`
	// Why is "unexported", "func" or "chan".
	Why string `json:"why"`
}

// Registration is a gob.Register or gob.RegisterName.
type Registration struct {
	Name string `json:"name"`
	Type Ref    `json:"type"`
	// Package is where the call stands.
	Package string `json:"package"`
}

// Constant is an exported constant.
type Constant struct {
	Name    string `json:"name"`
	Package string `json:"package"`
	Doc     string `json:"doc,omitempty"`
	// Type is absent for an untyped constant.
	Type Ref `json:"type,omitempty"`
	// Kind is "bool", "string", "int" or "float".
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// Plugin is an implementation of go-plugin's Plugin.
type Plugin struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	Package string `json:"package"`
	Doc     string `json:"doc,omitempty"`
	// Service is the receiver that its Server method returns, where that can be told.
	Service string `json:"service,omitempty"`
}

// PluginSet is a literal map of plugins.
type PluginSet struct {
	Name    string `json:"name"`
	Package string `json:"package"`
	Doc     string `json:"doc,omitempty"`
	// Plugins has the plugin types by the names that they are dispensed under.
	Plugins map[string]string `json:"plugins"`
}

// Handshake is a literal plugin.HandshakeConfig with constant fields.
type Handshake struct {
	Name             string `json:"name"`
	Package          string `json:"package"`
	Doc              string `json:"doc,omitempty"`
	ProtocolVersion  uint64 `json:"protocolVersion"`
	MagicCookieKey   string `json:"magicCookieKey"`
	MagicCookieValue string `json:"magicCookieValue"`
}
