//go:build go1.22

package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"os"
	"path/filepath"
	"sort"
)

// readRegistrations finds the gob.Register and gob.RegisterName calls of the packages and of all that they import.
func readRegistrations(p *program, set *typeSet, c *Contract) {
	paths := []string{}
	for path, pkg := range p.packages {
		if !pkg.Standard && p.mentionsGob(pkg) {
			paths = append(paths, path)
		}
	}
	sort.Strings(paths)
	for _, path := range paths {
		pkg, err := p.check(path)
		if err != nil {
			c.Warnings = append(c.Warnings, fmt.Sprintf("%s: its gob.Register calls are not known: %v", path, err))
			continue
		}
		r := &registrar{p: p, pkg: pkg, set: set, c: c}
		r.read()
	}
	sort.SliceStable(c.Registrations, func(i, j int) bool { return c.Registrations[i].Name < c.Registrations[j].Name })
	unique := c.Registrations[:0]
	for i, r := range c.Registrations {
		if i == 0 || r.Name != c.Registrations[i-1].Name {
			unique = append(unique, r)
		}
	}
	c.Registrations = unique
}

// mentionsGob is a quick look, so that of a program's hundreds of packages only the few are type-checked.
func (p *program) mentionsGob(pkg *listed) bool {
	for _, name := range pkg.CompiledGoFiles {
		if !filepath.IsAbs(name) {
			name = filepath.Join(pkg.Dir, name)
		}
		text, err := os.ReadFile(name)
		if err == nil && bytes.Contains(text, []byte(`"encoding/gob"`)) && bytes.Contains(text, []byte(".Register")) {
			return true
		}
	}
	return false
}

// registrar finds the registrations of one package.
type registrar struct {
	p   *program
	pkg *checked
	set *typeSet
	c   *Contract
}

func (r *registrar) read() {
	r.eachCall(func(fn *ast.FuncDecl, call *ast.CallExpr) {
		called := calledFunc(r.pkg, call)
		if called == nil || called.Pkg() == nil || called.Pkg().Path() != "encoding/gob" {
			return
		}
		switch {
		case called.Name() == "Register" && len(call.Args) == 1:
			r.value(fn, call, call.Args[0], nil, 0)
		case called.Name() == "RegisterName" && len(call.Args) == 2:
			r.value(fn, call, call.Args[1], call.Args[0], 0)
		}
	})
}

func (r *registrar) eachCall(visit func(fn *ast.FuncDecl, call *ast.CallExpr)) {
	for _, file := range r.pkg.files {
		for _, decl := range file.Decls {
			fn, _ := decl.(*ast.FuncDecl)
			ast.Inspect(decl, func(node ast.Node) bool {
				if call, ok := node.(*ast.CallExpr); ok {
					visit(fn, call)
				}
				return true
			})
		}
	}
}

// value registers the type of an expression. One that is an interface is followed to where it comes from: the range over
// a literal list, or the parameter of a function that is called elsewhere in the package.
func (r *registrar) value(fn *ast.FuncDecl, call *ast.CallExpr, expr, name ast.Expr, depth int) {
	t := r.pkg.info.TypeOf(expr)
	if t == nil || depth > 5 {
		return
	}
	// Before the look for interfaces: a type parameter's underlying type is one.
	if hasTypeParam(t) {
		r.instances(fn, call, t, name)
		return
	}
	if !types.IsInterface(t) {
		r.add(call, t, name)
		return
	}
	if id, ok := ast.Unparen(expr).(*ast.Ident); ok && fn != nil {
		obj := r.pkg.info.Uses[id]
		if elements := r.rangedOver(fn, obj); elements != nil {
			for _, element := range elements {
				r.value(fn, call, element, name, depth+1)
			}
			return
		}
		if index, variadic := parameterIndex(r.pkg, fn, obj); index >= 0 && name == nil {
			r.callers(fn, index, variadic, depth)
			return
		}
	}
	r.c.Warnings = append(r.c.Warnings,
		fmt.Sprintf("%s %s: cannot tell which type is registered here", r.pkg.path, quoteAt(r.p, call)))
}

// rangedOver are the elements of the literal that the variable of a range statement runs over, or of a slice parameter's
// calls.
func (r *registrar) rangedOver(fn *ast.FuncDecl, obj types.Object) []ast.Expr {
	var elements []ast.Expr
	ast.Inspect(fn, func(node ast.Node) bool {
		loop, ok := node.(*ast.RangeStmt)
		if !ok {
			return true
		}
		id, ok := loop.Value.(*ast.Ident)
		if !ok || r.pkg.info.Defs[id] != obj {
			return true
		}
		switch over := ast.Unparen(loop.X).(type) {
		case *ast.CompositeLit:
			elements = elementsOf(over)
		case *ast.Ident:
			if lit := r.literalOf(r.pkg.info.Uses[over]); lit != nil {
				elements = elementsOf(lit)
			} else if index, variadic := parameterIndex(r.pkg, fn, r.pkg.info.Uses[over]); variadic {
				r.eachCall(func(_ *ast.FuncDecl, call *ast.CallExpr) {
					if called := calledFunc(r.pkg, call); called != nil && called == r.pkg.info.Defs[fn.Name] && !call.Ellipsis.IsValid() {
						elements = append(elements, call.Args[min(index, len(call.Args)):]...)
					}
				})
			}
		}
		return true
	})
	return elements
}

func elementsOf(lit *ast.CompositeLit) []ast.Expr {
	elements := make([]ast.Expr, len(lit.Elts))
	for i, elt := range lit.Elts {
		if pair, ok := elt.(*ast.KeyValueExpr); ok {
			elt = pair.Value
		}
		elements[i] = elt
	}
	return elements
}

// literalOf is the composite literal that a variable is declared with.
func (r *registrar) literalOf(obj types.Object) (found *ast.CompositeLit) {
	for _, file := range r.pkg.files {
		ast.Inspect(file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.ValueSpec:
				for i, id := range node.Names {
					if r.pkg.info.Defs[id] == obj && i < len(node.Values) {
						found, _ = node.Values[i].(*ast.CompositeLit)
					}
				}
			case *ast.AssignStmt:
				for i, left := range node.Lhs {
					if id, ok := left.(*ast.Ident); ok && r.pkg.info.Defs[id] == obj && obj != nil && i < len(node.Rhs) {
						found, _ = node.Rhs[i].(*ast.CompositeLit)
					}
				}
			}
			return true
		})
	}
	return found
}

func parameterIndex(pkg *checked, fn *ast.FuncDecl, obj types.Object) (index int, variadic bool) {
	declared, ok := pkg.info.Defs[fn.Name].(*types.Func)
	if !ok || obj == nil {
		return -1, false
	}
	s := declared.Type().(*types.Signature)
	for i := 0; i < s.Params().Len(); i++ {
		if s.Params().At(i) == obj {
			return i, s.Variadic() && i == s.Params().Len()-1
		}
	}
	return -1, false
}

func (r *registrar) callers(fn *ast.FuncDecl, index int, variadic bool, depth int) {
	declared := r.pkg.info.Defs[fn.Name]
	found := false
	r.eachCall(func(outer *ast.FuncDecl, call *ast.CallExpr) {
		if called := calledFunc(r.pkg, call); called != nil && called == declared && index < len(call.Args) && !variadic {
			found = true
			r.value(outer, call, call.Args[index], nil, depth+1)
		}
	})
	if !found || fn.Name.IsExported() {
		r.c.Warnings = append(r.c.Warnings,
			fmt.Sprintf("%s %s: what callers elsewhere have %s register is not known", r.pkg.path, quoteAt(r.p, fn), fn.Name.Name))
	}
}

func hasTypeParam(t types.Type) bool {
	switch t := types.Unalias(t).(type) {
	case *types.TypeParam:
		return true
	case *types.Pointer:
		return hasTypeParam(t.Elem())
	case *types.Slice:
		return hasTypeParam(t.Elem())
	case *types.Array:
		return hasTypeParam(t.Elem())
	case *types.Map:
		return hasTypeParam(t.Key()) || hasTypeParam(t.Elem())
	case *types.Named:
		for i := 0; i < t.TypeArgs().Len(); i++ {
			if hasTypeParam(t.TypeArgs().At(i)) {
				return true
			}
		}
	}
	return false
}

// instances registers what a generic function registers, for each of its instances in the package.
func (r *registrar) instances(fn *ast.FuncDecl, call *ast.CallExpr, t types.Type, name ast.Expr) {
	declared, ok := r.pkg.info.Defs[fn.Name].(*types.Func)
	if !ok {
		return
	}
	for id, instance := range r.pkg.info.Instances {
		if r.pkg.info.Uses[id] != declared {
			continue
		}
		if of := substitute(t, declared.Type().(*types.Signature).TypeParams(), instance.TypeArgs); of != nil && !hasTypeParam(of) {
			r.add(call, of, name)
		}
	}
}

func substitute(t types.Type, params *types.TypeParamList, args *types.TypeList) types.Type {
	switch t := types.Unalias(t).(type) {
	case *types.TypeParam:
		for i := 0; i < params.Len(); i++ {
			if params.At(i) == t {
				return args.At(i)
			}
		}
		return nil
	case *types.Pointer:
		if elem := substitute(t.Elem(), params, args); elem != nil {
			return types.NewPointer(elem)
		}
	case *types.Slice:
		if elem := substitute(t.Elem(), params, args); elem != nil {
			return types.NewSlice(elem)
		}
	case *types.Map:
		key, elem := substitute(t.Key(), params, args), substitute(t.Elem(), params, args)
		if key != nil && elem != nil {
			return types.NewMap(key, elem)
		}
	case *types.Named:
		if t.TypeArgs().Len() == 0 {
			return t
		}
		inner := make([]types.Type, t.TypeArgs().Len())
		for i := range inner {
			if inner[i] = substitute(t.TypeArgs().At(i), params, args); inner[i] == nil {
				return nil
			}
		}
		of, err := types.Instantiate(nil, t.Origin(), inner, false)
		if err == nil {
			return of
		}
	case *types.Basic:
		return t
	}
	return nil
}

func (r *registrar) add(call *ast.CallExpr, t types.Type, name ast.Expr) {
	as := registeredName(t)
	if name != nil {
		value := r.pkg.info.Types[name].Value
		if value == nil || value.Kind() != constant.String {
			r.c.Warnings = append(r.c.Warnings,
				fmt.Sprintf("%s %s: cannot tell the name that is registered here", r.pkg.path, quoteAt(r.p, call)))
			return
		}
		as = constant.StringVal(value)
	}
	if basic, ok := types.Unalias(t).(*types.Basic); ok && basic.Info()&types.IsUntyped != 0 {
		t = types.Default(t)
		as = registeredName(t)
	}
	ref, why := r.set.ref(t)
	if why != "" {
		r.c.Warnings = append(r.c.Warnings,
			fmt.Sprintf("%s %s: %s is registered, but cannot be sent: %s", r.pkg.path, quoteAt(r.p, call), as, why))
		return
	}
	r.c.Registrations = append(r.c.Registrations, &Registration{as, ref, gobPath(r.pkg.pkg)})
}
