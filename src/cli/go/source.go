//go:build go1.22

package main

import (
	"fmt"
	"go/constant"
	"go/token"
	"go/types"
	"runtime"
	"sort"
	"strings"
	"unicode"
)

// fromSource reads packages as the compiler would.
func fromSource(patterns, receivers []string) (*Contract, error) {
	p, err := load(patterns)
	if err != nil {
		return nil, err
	}
	comments := map[string]*docs{}
	set := newTypeSet(func(path string) *docs {
		if _, seen := comments[path]; !seen {
			// A package without source, or with source that does not parse, has no comments; its types are known all the same.
			files, _ := p.files(path)
			comments[path] = readDocs(files)
		}
		return comments[path]
	})
	var roots []*checked
	var found []*receiver
	for _, path := range p.roots {
		pkg, err := p.check(path)
		if err != nil {
			return nil, err
		}
		roots = append(roots, pkg)
		found = append(found, receiversOf(pkg.pkg)...)
	}
	served := &servedTypes{names: map[string][]string{}, types: map[string]*types.Named{}}
	c := &Contract{
		Version: FormatVersion, From: "source", Go: runtime.Version(),
		Packages: p.roots, Modules: map[string]string{}, Types: set.types,
		Services: []*Service{}, Registrations: []*Registration{}, Constants: []*Constant{},
		Plugins: []*Plugin{}, PluginSets: []*PluginSet{}, Handshakes: []*Handshake{},
	}
	for _, pkg := range roots {
		readLiterals(pkg, set, c, served)
		served.find(pkg)
	}
	found = append(found, served.beside(found)...)
	found, err = pick(found, receivers, served.names)
	if err != nil {
		return nil, err
	}
	for _, r := range found {
		c.Services = append(c.Services, r.service(set, served.names))
	}
	readRegistrations(p, set, c)
	c.Constants = append(c.Constants, constants(p, roots, set)...)
	for _, path := range append(set.packages(), p.roots...) {
		if module, version := p.moduleOf(path); module != "" && module != "std" {
			c.Modules[module] = version
		}
	}
	return c, nil
}

// receiver is a type with methods that net/rpc would serve.
type receiver struct {
	named   *types.Named
	methods []*types.Func
	// others is how many further exported methods it has.
	others int
}

// isLikely reports whether most of the exported methods are of net/rpc's shape: a client or a wrapper may have one by chance.
func isLikely(served, others int) bool { return served > others }

// receiversOf are a package's types that have at least one method of net/rpc's shape, by name.
func receiversOf(pkg *types.Package) []*receiver {
	var found []*receiver
	scope := pkg.Scope()
	for _, name := range scope.Names() {
		obj, ok := scope.Lookup(name).(*types.TypeName)
		if !ok || obj.IsAlias() || types.IsInterface(obj.Type()) {
			continue
		}
		named, ok := obj.Type().(*types.Named)
		if !ok || named.TypeParams().Len() > 0 {
			continue
		}
		if r := receiverOf(named); len(r.methods) > 0 {
			found = append(found, r)
		}
	}
	return found
}

func receiverOf(named *types.Named) *receiver {
	r := &receiver{named: named}
	set := types.NewMethodSet(types.NewPointer(named))
	for i := 0; i < set.Len(); i++ {
		method, ok := set.At(i).Obj().(*types.Func)
		switch {
		case ok && isServed(method):
			r.methods = append(r.methods, method)
		case ok && method.Exported():
			r.others++
		}
	}
	return r
}

// beside are the served receivers that the packages do not declare as such: instances of generic types, and types of
// packages that were not asked for.
func (s *servedTypes) beside(found []*receiver) []*receiver {
	known := map[string]bool{}
	for _, r := range found {
		known[typeName(r.named)] = true
	}
	var more []*receiver
	for name, named := range s.types {
		if known[name] || named.Obj().Pkg() == nil || types.IsInterface(named) || hasTypeParam(named) {
			continue
		}
		if r := receiverOf(named); len(r.methods) > 0 {
			more = append(more, r)
		}
	}
	sort.Slice(more, func(i, j int) bool { return typeName(more[i].named) < typeName(more[j].named) })
	return more
}

// name is the receiver's as an identifier: `Server[int]` is ServerOfInt.
func (r *receiver) name() string {
	name := r.named.Obj().Name()
	for i := 0; i < r.named.TypeArgs().Len(); i++ {
		words := strings.FieldsFunc(
			types.TypeString(r.named.TypeArgs().At(i), func(*types.Package) string { return "" }),
			func(letter rune) bool { return letter != '_' && !unicode.IsLetter(letter) && !unicode.IsDigit(letter) },
		)
		if i == 0 {
			name += "Of"
		} else {
			name += "And"
		}
		for _, word := range words {
			name += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return name
}

// bases are the names of the types that receivers embed, and so serve the methods of.
func bases(receivers []*receiver) map[string]bool {
	names := map[string]bool{}
	var look func(named *types.Named)
	look = func(named *types.Named) {
		of, ok := named.Underlying().(*types.Struct)
		for i := 0; ok && i < of.NumFields(); i++ {
			base, isNamed := withoutPointers(of.Field(i).Type()).(*types.Named)
			if isNamed && of.Field(i).Embedded() && !names[typeName(base)] {
				names[typeName(base)] = true
				look(base)
			}
		}
	}
	for _, r := range receivers {
		look(r.named)
	}
	return names
}

// isServed follows net/rpc's suitableMethods.
func isServed(method *types.Func) bool {
	s := method.Type().(*types.Signature)
	if !method.Exported() || s.Params().Len() != 2 || s.Results().Len() != 1 || s.Variadic() {
		return false
	}
	reply := s.Params().At(1).Type()
	if _, ok := types.Unalias(reply).(*types.Pointer); !ok {
		return false
	}
	return isError(s.Results().At(0).Type()) && isPublic(s.Params().At(0).Type()) && isPublic(reply)
}

// isPublic follows net/rpc's isExportedOrBuiltinType.
func isPublic(t types.Type) bool {
	t = withoutPointers(t)
	switch t := t.(type) {
	case *types.Named:
		return t.Obj().Exported() || t.Obj().Pkg() == nil
	case *types.TypeParam:
		return false
	}
	return true
}

func withoutPointers(t types.Type) types.Type {
	for {
		t = types.Unalias(t)
		pointer, ok := t.(*types.Pointer)
		if !ok {
			return t
		}
		t = pointer.Elem()
	}
}

// pick keeps the receivers that were asked for, by name or by import path and name. Without names these are the types that
// the packages serve, and those that look like it, but for unexported ones that others embed.
func pick(found []*receiver, names []string, served map[string][]string) ([]*receiver, error) {
	var likely, picked []*receiver
	for _, r := range found {
		if isLikely(len(r.methods), r.others) || served[typeName(r.named)] != nil {
			likely = append(likely, r)
		}
	}
	if len(names) == 0 {
		embedded := bases(likely)
		for _, r := range likely {
			if name := typeName(r.named); served[name] != nil || r.named.Obj().Exported() || !embedded[name] {
				picked = append(picked, r)
			}
		}
		return picked, nil
	}
	var known []string
	for _, r := range found {
		known = append(known, r.name())
	}
	for _, name := range names {
		before := len(picked)
		for _, r := range found {
			if name == r.name() || name == typeName(r.named) {
				picked = append(picked, r)
			}
		}
		if len(picked) == before {
			return nil, unknownReceiver(name, known)
		}
	}
	return picked, nil
}

func unknownReceiver(name string, known []string) error {
	if len(known) == 0 {
		return fmt.Errorf("no receiver %s: no type there has methods that net/rpc would serve", name)
	}
	return fmt.Errorf("no receiver %s; there are %s", name, strings.Join(known, ", "))
}

func (r *receiver) service(set *typeSet, served map[string][]string) *Service {
	obj := r.named.Obj()
	comments := set.docs(obj.Pkg().Path())
	s := &Service{
		Type: typeName(r.named), Name: r.name(), Package: gobPath(obj.Pkg()),
		Served: append([]string{}, served[typeName(r.named)]...), Doc: comments.of(obj.Name()), Methods: []*Method{},
	}
	sort.Strings(s.Served)
	described := r.interfaceName()
	for _, method := range r.methods {
		params := method.Type().(*types.Signature).Params()
		m := &Method{Name: method.Name(), Doc: comments.of(obj.Name() + "." + method.Name())}
		if m.Doc == "" {
			m.Doc = comments.of(described + "." + method.Name())
		}
		var why string
		m.Arg, why = set.ref(withoutPointers(params.At(0).Type()))
		if why != "" {
			m.Unsendable = "the argument: " + why
		}
		m.Reply, why = set.ref(withoutPointers(params.At(1).Type()))
		if why != "" && m.Unsendable == "" {
			m.Unsendable = "the reply: " + why
		}
		s.Methods = append(s.Methods, m)
	}
	order := comments.order
	sort.SliceStable(s.Methods, func(i, j int) bool {
		return order[obj.Name()+"."+s.Methods[i].Name] < order[obj.Name()+"."+s.Methods[j].Name]
	})
	return s
}

// interfaceName is the interface of the package that shares the most methods with the receiver: what it serves, and where
// its methods are described when they have no comments of their own, as with generated code.
func (r *receiver) interfaceName() string {
	best, most := "", 0
	scope := r.named.Obj().Pkg().Scope()
	for _, name := range scope.Names() {
		obj, ok := scope.Lookup(name).(*types.TypeName)
		if !ok {
			continue
		}
		of, ok := obj.Type().Underlying().(*types.Interface)
		if !ok {
			continue
		}
		shared := 0
		for _, method := range r.methods {
			for i := 0; i < of.NumMethods(); i++ {
				if of.Method(i).Name() == method.Name() {
					shared++
				}
			}
		}
		if shared > most {
			best, most = name, shared
		}
	}
	return best
}

// constants are the exported ones of the packages that were asked for, and those of the named types that are reached.
func constants(p *program, roots []*checked, set *typeSet) []*Constant {
	all := map[string]*types.Package{}
	for _, path := range set.packages() {
		if pkg, err := p.importer.Import(path); err == nil {
			all[path] = pkg
		}
	}
	isRoot := map[string]bool{}
	for _, root := range roots {
		all[root.path] = root.pkg
		isRoot[root.path] = true
	}
	paths := make([]string, 0, len(all))
	for path := range all {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	var found []*Constant
	for _, path := range paths {
		scope := all[path].Scope()
		comments := set.docs(path)
		names := scope.Names()
		sort.SliceStable(names, func(i, j int) bool { return comments.order[names[i]] < comments.order[names[j]] })
		for _, name := range names {
			obj, ok := scope.Lookup(name).(*types.Const)
			if !ok || !token.IsExported(name) {
				continue
			}
			named, isNamed := types.Unalias(obj.Type()).(*types.Named)
			if isNamed && set.types[typeName(named)] == nil && !isRoot[path] || !isNamed && !isRoot[path] {
				continue
			}
			if of := constantOf(obj, comments.of(name), set); of != nil {
				found = append(found, of)
			}
		}
	}
	return found
}

func constantOf(obj *types.Const, doc string, set *typeSet) *Constant {
	c := &Constant{Name: obj.Name(), Package: gobPath(obj.Pkg()), Doc: doc}
	basic := obj.Type().Underlying().(*types.Basic)
	if basic.Info()&types.IsUntyped == 0 {
		c.Type, _ = set.ref(obj.Type())
	}
	switch value := obj.Val(); {
	case basic.Info()&types.IsBoolean != 0:
		c.Kind, c.Value = "bool", value.String()
	case basic.Info()&types.IsString != 0:
		c.Kind, c.Value = "string", constant.StringVal(value)
	case basic.Info()&types.IsInteger != 0:
		c.Kind, c.Value = "int", value.ExactString()
	case basic.Info()&types.IsFloat != 0:
		float, _ := constant.Float64Val(value)
		c.Kind, c.Value = "float", fmt.Sprint(float)
	default:
		return nil
	}
	return c
}
