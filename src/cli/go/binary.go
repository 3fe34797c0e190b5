//go:build go1.22

package main

import (
	"debug/buildinfo"
	"debug/dwarf"
	"errors"
	"fmt"
	"go/token"
	"os"
	"sort"
	"strings"
)

// notInBinary is what a contract from a binary lacks.
var notInBinary = []string{
	"comments", "what is registered with gob", "constants", "the names that receivers are served under",
	"plugin types, plugin maps and handshakes",
}

// fromBinary reads the debug information of an executable.
func fromBinary(file string, packages, receivers []string) (*Contract, error) {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		if _, statErr := os.Stat(file); statErr != nil {
			return nil, statErr
		}
		return nil, fmt.Errorf("%s is not a Go executable: %w", file, err)
	}
	data, err := debugInformation(file)
	if err != nil {
		return nil, err
	}
	b := &binary{
		data: data, entries: map[dwarf.Offset]*entry{}, packageNames: map[string]string{},
		functions: map[string]map[string]*function{}, offsets: map[string]dwarf.Offset{},
		types: map[string]*Type{}, refused: map[string]string{},
	}
	if err := b.readFunctions(); err != nil {
		return nil, err
	}
	found, err := b.receivers(packages, receivers, info.Main.Path)
	if err != nil {
		return nil, err
	}
	c := &Contract{
		Version: FormatVersion, From: "binary", Go: info.GoVersion, Missing: notInBinary,
		Packages: []string{}, Modules: map[string]string{}, Types: b.types,
		Services: []*Service{}, Registrations: []*Registration{}, Constants: []*Constant{},
		Plugins: []*Plugin{}, PluginSets: []*PluginSet{}, Handshakes: []*Handshake{},
	}
	inContract := map[string]bool{}
	for _, name := range found {
		s, err := b.service(name)
		if err != nil {
			return nil, err
		}
		c.Services = append(c.Services, s)
		if !inContract[s.Package] {
			inContract[s.Package] = true
			c.Packages = append(c.Packages, s.Package)
		}
	}
	for _, t := range b.types {
		inContract[t.Package] = true
	}
	for path := range inContract {
		module, version := moduleIn(info, path)
		if module != "" {
			c.Modules[module] = version
		}
	}
	return c, nil
}

func moduleIn(info *buildinfo.BuildInfo, path string) (module, version string) {
	for _, m := range append(info.Deps, &info.Main) {
		if (path == m.Path || strings.HasPrefix(path, m.Path+"/")) && len(m.Path) > len(module) {
			module, version = m.Path, m.Version
			if m.Replace != nil && m.Replace.Version != "" {
				version = m.Replace.Version
			}
		}
	}
	if version == "(devel)" {
		version = ""
	}
	return module, version
}

// receivers are the types with methods of net/rpc's shape: in the packages that were asked for, or else in all but Go's own and
// go-plugin's.
func (b *binary) receivers(packages, names []string, main string) ([]string, error) {
	asked := map[string]bool{}
	for _, path := range packages {
		asked[path] = true
	}
	var known, picked []string
	for of, methods := range b.functions {
		path := of[:strings.LastIndexByte(of, '.')]
		if len(asked) > 0 && !asked[path] || len(asked) == 0 && !isOfUser(path, main) {
			continue
		}
		served, others := 0, 0
		for name, f := range methods {
			if !token.IsExported(name) {
				continue
			}
			if arg, _ := b.parameters(f); arg != nil {
				served++
			} else {
				others++
			}
		}
		if served == 0 {
			continue
		}
		known = append(known, of)
		if isLikely(served, others) {
			picked = append(picked, of)
		}
	}
	sort.Strings(known)
	sort.Strings(picked)
	if len(names) == 0 {
		if len(picked) == 0 {
			return nil, errors.New("no type in the executable has methods that net/rpc would serve")
		}
		return picked, nil
	}
	picked = nil
	for _, name := range names {
		before := len(picked)
		for _, of := range known {
			if name == of || strings.HasSuffix(of, "."+name) {
				picked = append(picked, of)
			}
		}
		if len(picked) == before {
			return nil, unknownReceiver(name, known)
		}
	}
	return picked, nil
}

func isOfUser(path, main string) bool {
	first, _, _ := strings.Cut(path, "/")
	isStandard := !strings.Contains(first, ".") && path != "main" && path != main && !strings.HasPrefix(path, main+"/")
	return !isStandard && !strings.HasSuffix(path, "/go-plugin")
}

// parameters are a method's argument and reply, with their pointers; nil if net/rpc would not serve it.
func (b *binary) parameters(f *function) (arg, reply *entry) {
	e, err := b.at(f.offset)
	if err != nil {
		return nil, nil
	}
	var in, out []*dwarf.Entry
	seen := map[string]bool{}
	for _, child := range e.children {
		// The compiler may describe a result more than once.
		if child.Tag != dwarf.TagFormalParameter || seen[name(child)] {
			continue
		}
		seen[name(child)] = true
		if isResult, _ := child.Val(dwarf.AttrVarParam).(bool); isResult {
			out = append(out, child)
		} else {
			in = append(in, child)
		}
	}
	if len(in) != 3 || len(out) != 1 {
		return nil, nil
	}
	if result, err := b.typeOf(out[0], dwarf.AttrType); err != nil || name(result.Entry) != "error" {
		return nil, nil
	}
	if arg, err = b.typeOf(in[1], dwarf.AttrType); err != nil || !b.isPublic(arg) {
		return nil, nil
	}
	if reply, err = b.typeOf(in[2], dwarf.AttrType); err != nil || reply.Tag != dwarf.TagPointerType || !b.isPublic(reply) {
		return nil, nil
	}
	return arg, reply
}

func (b *binary) isPublic(e *entry) bool {
	path, short := splitName(name(b.withoutPointers(e).Entry))
	return path == "" || !isNamed(name(b.withoutPointers(e).Entry)) || token.IsExported(short)
}

func (b *binary) withoutPointers(e *entry) *entry {
	for e.Tag == dwarf.TagPointerType {
		elem, err := b.typeOf(e.Entry, dwarf.AttrType)
		if err != nil {
			break
		}
		e = elem
	}
	return e
}

func (b *binary) service(of string) (*Service, error) {
	path, short := of[:strings.LastIndexByte(of, '.')], of[strings.LastIndexByte(of, '.')+1:]
	s := &Service{Type: of, Name: short, Package: path, Served: []string{}, Methods: []*Method{}}
	type placed struct {
		*Method
		offset dwarf.Offset
	}
	var methods []placed
	for method, f := range b.functions[of] {
		arg, reply := b.parameters(f)
		if arg == nil || !token.IsExported(method) {
			continue
		}
		m := &Method{Name: method}
		var why string
		var err error
		if m.Arg, why, err = b.ref(b.withoutPointers(arg)); err != nil {
			return nil, err
		}
		if why != "" {
			m.Unsendable = "the argument: " + why
		}
		if m.Reply, why, err = b.ref(b.withoutPointers(reply)); err != nil {
			return nil, err
		}
		if why != "" && m.Unsendable == "" {
			m.Unsendable = "the reply: " + why
		}
		methods = append(methods, placed{m, f.offset})
	}
	// As near to the source's order as the debug information comes.
	sort.Slice(methods, func(i, j int) bool { return methods[i].offset < methods[j].offset })
	for _, m := range methods {
		s.Methods = append(s.Methods, m.Method)
	}
	return s, nil
}
