//go:build go1.22

package main

import (
	"debug/buildinfo"
	"debug/dwarf"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"errors"
	"fmt"
	"go/token"
	"os"
	"sort"
	"strings"
)

// Attributes that Go's linker adds to DWARF (cmd/internal/dwarf).
const (
	attrKind        dwarf.Attr = 0x2900
	attrKey         dwarf.Attr = 0x2901
	attrElem        dwarf.Attr = 0x2902
	attrEmbedded    dwarf.Attr = 0x2903
	attrPackageName dwarf.Attr = 0x2905
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

// debugInformation opens the DWARF of an executable of any of the formats that Go writes.
func debugInformation(file string) (*dwarf.Data, error) {
	var data *dwarf.Data
	var err error
	stripped := true
	if f, openErr := elf.Open(file); openErr == nil {
		defer f.Close()
		stripped = f.Section(".debug_info") == nil && f.Section(".zdebug_info") == nil
		data, err = f.DWARF()
	} else if f, openErr := macho.Open(file); openErr == nil {
		defer f.Close()
		stripped = f.Section("__debug_info") == nil && f.Section("__zdebug_info") == nil
		data, err = f.DWARF()
	} else if f, openErr := pe.Open(file); openErr == nil {
		defer f.Close()
		stripped = f.Section(".debug_info") == nil && f.Section(".zdebug_info") == nil
		data, err = f.DWARF()
	} else {
		return nil, fmt.Errorf("%s is no executable of a known format", file)
	}
	if stripped {
		return nil, fmt.Errorf("%s has no debug information (it was linked with -s or -w): its methods and types cannot be had from it, only from its source", file)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: its debug information cannot be read: %w", file, err)
	}
	return data, nil
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

// binary is an executable's debug information, read as far as it was asked for.
type binary struct {
	data    *dwarf.Data
	entries map[dwarf.Offset]*entry
	// packageNames are the packages' names by their import paths.
	packageNames map[string]string
	// functions are the methods by the type they belong to ("import/path.Type") and their name.
	functions map[string]map[string]*function
	// offsets are where types of a name are described.
	offsets map[string]dwarf.Offset
	types   map[string]*Type
	refused map[string]string
}

type entry struct {
	*dwarf.Entry
	children []*dwarf.Entry
}

// function is a method as the debug information has it.
type function struct {
	offset dwarf.Offset
	// pointer: the receiver is a pointer. wrapper: the compiler made it, of a promoted method or one of the value.
	pointer, wrapper bool
}

func name(e *dwarf.Entry) string {
	text, _ := e.Val(dwarf.AttrName).(string)
	return text
}

// readFunctions goes through the whole once, for the methods and the names of packages.
func (b *binary) readFunctions() error {
	r := b.data.Reader()
	for {
		e, err := r.Next()
		if err != nil {
			return fmt.Errorf("the debug information cannot be read: %w", err)
		}
		if e == nil {
			return nil
		}
		switch e.Tag {
		case dwarf.TagCompileUnit:
			if text, ok := e.Val(attrPackageName).(string); ok {
				b.packageNames[unescape(name(e))] = text
			}
			continue
		case dwarf.TagSubprogram:
			b.addFunction(e)
		case dwarf.TagTypedef, dwarf.TagBaseType, dwarf.TagStructType:
			// A typedef is the type's name, and comes after what it names.
			b.offsets[unescape(name(e))] = e.Offset
		}
		if e.Children {
			r.SkipChildren()
		}
	}
}

func (b *binary) addFunction(e *dwarf.Entry) {
	of, method, pointer, ok := splitMethod(unescape(name(e)))
	if !ok {
		return
	}
	wrapper, _ := e.Val(dwarf.AttrTrampoline).(bool)
	f := &function{e.Offset, pointer, wrapper}
	if b.functions[of] == nil {
		b.functions[of] = map[string]*function{}
	}
	if known := b.functions[of][method]; known == nil || known.wrapper && !wrapper {
		b.functions[of][method] = f
	}
}

// splitMethod reads `path/pkg.(*Type).Method` and `path/pkg.Type.Method`.
func splitMethod(text string) (of, method string, pointer, ok bool) {
	slash := strings.LastIndexByte(text, '/')
	dot := strings.IndexByte(text[slash+1:], '.')
	if dot < 0 || strings.ContainsAny(text, "[]") {
		return "", "", false, false
	}
	path, rest := text[:slash+1+dot], text[slash+2+dot:]
	typeName, method, found := strings.Cut(rest, ".")
	if !found || !token.IsIdentifier(method) {
		return "", "", false, false
	}
	if strings.HasPrefix(typeName, "(*") && strings.HasSuffix(typeName, ")") {
		typeName, pointer = typeName[2:len(typeName)-1], true
	}
	return path + "." + typeName, method, pointer, token.IsIdentifier(typeName)
}

// unescape undoes the linker's escapes in import paths: gopkg.in/yaml%2ev2.
func unescape(text string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		var code int
		if text[i] == '%' && i+2 < len(text) {
			if n, err := fmt.Sscanf(text[i+1:i+3], "%02x", &code); n == 1 && err == nil {
				out.WriteByte(byte(code))
				i += 2
				continue
			}
		}
		out.WriteByte(text[i])
	}
	return out.String()
}

// splitName parts a type's name from its import path. The last element of a path has its dots escaped.
func splitName(escaped string) (path, short string) {
	base := escaped
	if i := strings.IndexByte(base, '['); i >= 0 {
		base = base[:i]
	}
	slash := strings.LastIndexByte(base, '/')
	dot := strings.IndexByte(base[slash+1:], '.')
	if dot < 0 {
		return "", escaped
	}
	at := slash + 1 + dot
	return unescape(escaped[:at]), unescape(escaped[at+1:])
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

// at is the entry at an offset, with its children.
func (b *binary) at(offset dwarf.Offset) (*entry, error) {
	if known, ok := b.entries[offset]; ok {
		return known, nil
	}
	r := b.data.Reader()
	r.Seek(offset)
	e, err := r.Next()
	if err != nil || e == nil {
		return nil, fmt.Errorf("the debug information has nothing at %#x: %v", offset, err)
	}
	of := &entry{Entry: e}
	for e.Children {
		child, err := r.Next()
		if err != nil {
			return nil, err
		}
		if child == nil || child.Tag == 0 {
			break
		}
		of.children = append(of.children, child)
		if child.Children {
			r.SkipChildren()
		}
	}
	b.entries[offset] = of
	return of, nil
}

func (b *binary) typeOf(e *dwarf.Entry, attr dwarf.Attr) (*entry, error) {
	offset, ok := e.Val(attr).(dwarf.Offset)
	if !ok {
		// Go's own attributes of references may come as numbers.
		number, isNumber := e.Val(attr).(int64)
		if !isNumber {
			return nil, fmt.Errorf("%s has no type %v in the debug information", name(e), attr)
		}
		offset = dwarf.Offset(number)
	}
	return b.at(offset)
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
