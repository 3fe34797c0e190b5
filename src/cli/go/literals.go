//go:build go1.22

package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"sort"
	"strconv"
	"strings"
)

// readLiterals finds plugin types with what they serve, plugin maps and handshakes.
func readLiterals(pkg *checked, set *typeSet, c *Contract, served *servedTypes) {
	readPlugins(pkg, set, c, served)
	names := literalNames(pkg)
	seen := map[string]bool{}
	for _, file := range pkg.files {
		ast.Inspect(file, func(node ast.Node) bool {
			lit, ok := node.(*ast.CompositeLit)
			if !ok {
				return true
			}
			t := pkg.info.TypeOf(lit)
			name := names[lit]
			doc := set.docs(pkg.path).of(name)
			if isGoPlugin(t, "HandshakeConfig") {
				if h := handshakeOf(pkg, lit); h != nil {
					h.Name, h.Doc = name, doc
					if key := fmt.Sprint("h", *h); !seen[key] {
						seen[key] = true
						c.Handshakes = append(c.Handshakes, h)
					}
				}
			} else if isPluginSet(t) {
				if plugins := pluginsOf(pkg, lit); len(plugins) > 0 {
					// One without a name, in a configuration, is as a rule the same as one that has a name.
					if key := fmt.Sprint("p", name, plugins); !seen[key] && (name != "" || !seen[fmt.Sprint("p", plugins)]) {
						seen[key], seen[fmt.Sprint("p", plugins)] = true, true
						c.PluginSets = append(c.PluginSets, &PluginSet{name, gobPath(pkg.pkg), doc, plugins})
					}
				}
			}
			return true
		})
	}
}

// isGoPlugin reports whether t is go-plugin's type of that name, vendored or forked copies included.
func isGoPlugin(t types.Type, name string) bool {
	if t == nil {
		return false
	}
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == name && named.Obj().Pkg() != nil &&
		strings.HasSuffix(named.Obj().Pkg().Path(), "/go-plugin")
}

func isPluginSet(t types.Type) bool {
	if t == nil {
		return false
	}
	of, ok := t.Underlying().(*types.Map)
	return ok && isGoPlugin(of.Elem(), "Plugin")
}

// literalNames gives the composite literals the names of the variables that they are assigned to; one in a map of
// versions has the version in its name.
func literalNames(pkg *checked) map[*ast.CompositeLit]string {
	names := map[*ast.CompositeLit]string{}
	var give func(name string, expr ast.Expr)
	give = func(name string, expr ast.Expr) {
		if unary, ok := expr.(*ast.UnaryExpr); ok {
			expr = unary.X
		}
		lit, ok := expr.(*ast.CompositeLit)
		if !ok {
			return
		}
		names[lit] = name
		for _, elt := range lit.Elts {
			pair, ok := elt.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			if value := pkg.info.Types[pair.Key].Value; value != nil && value.Kind() == constant.Int {
				give(name+"V"+value.ExactString(), pair.Value)
			} else if key, ok := pair.Key.(*ast.Ident); ok {
				give(key.Name, pair.Value)
			}
		}
	}
	for _, file := range pkg.files {
		ast.Inspect(file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.ValueSpec:
				for i, value := range node.Values {
					if i < len(node.Names) {
						give(node.Names[i].Name, value)
					}
				}
			case *ast.AssignStmt:
				for i, value := range node.Rhs {
					if name, ok := node.Lhs[min(i, len(node.Lhs)-1)].(*ast.Ident); ok {
						give(name.Name, value)
					}
				}
			case *ast.CompositeLit:
				if names[node] == "" {
					give("", node)
				}
			}
			return true
		})
	}
	return names
}

// handshakeOf reads a HandshakeConfig; nil when a field is not constant, or the cookie is missing.
func handshakeOf(pkg *checked, lit *ast.CompositeLit) *Handshake {
	h := &Handshake{Package: gobPath(pkg.pkg)}
	fields := []string{"ProtocolVersion", "MagicCookieKey", "MagicCookieValue"}
	for i, elt := range lit.Elts {
		field, expr := "", elt
		if pair, ok := elt.(*ast.KeyValueExpr); ok {
			field, expr = pair.Key.(*ast.Ident).Name, pair.Value
		} else if i < len(fields) {
			field = fields[i]
		}
		value := pkg.info.Types[expr].Value
		if value == nil {
			return nil
		}
		switch field {
		case "ProtocolVersion":
			h.ProtocolVersion, _ = constant.Uint64Val(constant.ToInt(value))
		case "MagicCookieKey":
			h.MagicCookieKey = constant.StringVal(value)
		case "MagicCookieValue":
			h.MagicCookieValue = constant.StringVal(value)
		}
	}
	if h.MagicCookieKey == "" {
		return nil
	}
	return h
}

func pluginsOf(pkg *checked, lit *ast.CompositeLit) map[string]string {
	plugins := map[string]string{}
	for _, elt := range lit.Elts {
		pair, ok := elt.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		key := pkg.info.Types[pair.Key].Value
		t := pkg.info.TypeOf(pair.Value)
		if key == nil || key.Kind() != constant.String || t == nil {
			continue
		}
		if named, ok := withoutPointers(t).(*types.Named); ok && !types.IsInterface(named) {
			plugins[constant.StringVal(key)] = typeName(named)
		}
	}
	return plugins
}

// readPlugins finds the types with go-plugin's Server method, and what it returns.
func readPlugins(pkg *checked, set *typeSet, c *Contract, served *servedTypes) {
	for _, file := range pkg.files {
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || fn.Name.Name != "Server" || fn.Body == nil {
				continue
			}
			method, ok := pkg.info.Defs[fn.Name].(*types.Func)
			if !ok {
				continue
			}
			s := method.Type().(*types.Signature)
			if s.Params().Len() != 1 || s.Results().Len() != 2 || !isGoPlugin(withoutPointers(s.Params().At(0).Type()), "MuxBroker") {
				continue
			}
			named, ok := withoutPointers(s.Recv().Type()).(*types.Named)
			if !ok {
				continue
			}
			plugin := &Plugin{
				Type: typeName(named), Name: named.Obj().Name(), Package: gobPath(pkg.pkg),
				Doc: set.docs(pkg.path).of(named.Obj().Name()),
			}
			if receiver, unclear := returned(pkg, fn.Body); receiver != nil && !hasTypeParam(receiver) {
				plugin.Service = typeName(receiver)
				served.add(receiver, "Plugin")
			} else if receiver != nil || unclear {
				c.Warnings = append(c.Warnings, fmt.Sprintf("%s: cannot tell which receiver the plugin type %s serves", pkg.path, plugin.Name))
			}
			c.Plugins = append(c.Plugins, plugin)
		}
	}
	sort.SliceStable(c.Plugins, func(i, j int) bool { return c.Plugins[i].Type < c.Plugins[j].Type })
}

// returned is the concrete type that a function returns first. Without one it is unclear, unless the function returns nothing
// but nil, as that of a plugin type that net/rpc does not serve.
func returned(pkg *checked, body *ast.BlockStmt) (receiver *types.Named, unclear bool) {
	ast.Inspect(body, func(node ast.Node) bool {
		if _, nested := node.(*ast.FuncLit); nested {
			return false
		}
		ret, ok := node.(*ast.ReturnStmt)
		if !ok || len(ret.Results) == 0 || receiver != nil {
			return true
		}
		t := pkg.info.TypeOf(ret.Results[0])
		if named, ok := withoutPointers(t).(*types.Named); ok && len(ret.Results) == 2 && !types.IsInterface(named) {
			receiver = named
		} else if t != types.Typ[types.UntypedNil] {
			unclear = true
		}
		return true
	})
	return receiver, unclear
}

// servedTypes are the receivers that packages serve, by type name.
type servedTypes struct {
	names map[string][]string
	types map[string]*types.Named
}

func (s *servedTypes) add(t types.Type, name string) {
	if t == nil {
		return
	}
	named, ok := withoutPointers(t).(*types.Named)
	if !ok {
		return
	}
	receiver := typeName(named)
	s.types[receiver] = named
	for _, known := range s.names[receiver] {
		if known == name {
			return
		}
	}
	s.names[receiver] = append(s.names[receiver], name)
}

// find adds the names under which receivers are served: what RegisterName says, what Register takes from the type, and
// go-plugin's own name for what its broker serves.
func (s *servedTypes) find(pkg *checked) {
	for _, file := range pkg.files {
		ast.Inspect(file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok {
				return true
			}
			fn := calledFunc(pkg, call)
			if fn == nil || fn.Pkg() == nil {
				return true
			}
			switch path := fn.Pkg().Path(); {
			case path == "net/rpc" && fn.Name() == "RegisterName" && len(call.Args) == 2:
				if name := pkg.info.Types[call.Args[0]].Value; name != nil {
					s.add(pkg.info.TypeOf(call.Args[1]), constant.StringVal(name))
				}
			case path == "net/rpc" && fn.Name() == "Register" && len(call.Args) == 1:
				if named, ok := withoutPointers(pkg.info.TypeOf(call.Args[0])).(*types.Named); ok {
					s.add(named, shortName(named))
				}
			case strings.HasSuffix(path, "/go-plugin") && fn.Name() == "AcceptAndServe" && len(call.Args) == 2:
				s.add(pkg.info.TypeOf(call.Args[1]), "Plugin")
			}
			return true
		})
	}
}

// calledFunc is the function or method that a call names.
func calledFunc(pkg *checked, call *ast.CallExpr) *types.Func {
	fun := ast.Unparen(call.Fun)
	switch indexed := fun.(type) {
	case *ast.IndexExpr:
		fun = indexed.X
	case *ast.IndexListExpr:
		fun = indexed.X
	}
	var id *ast.Ident
	switch fun := fun.(type) {
	case *ast.Ident:
		id = fun
	case *ast.SelectorExpr:
		id = fun.Sel
	default:
		return nil
	}
	fn, _ := pkg.info.Uses[id].(*types.Func)
	return fn
}

func quoteAt(p *program, node ast.Node) string {
	pos := p.fset.Position(node.Pos())
	return pos.Filename[strings.LastIndex(pos.Filename, "/")+1:] + ":" + strconv.Itoa(pos.Line)
}
