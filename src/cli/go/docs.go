//go:build go1.22

package main

import (
	"go/ast"
	"go/token"
	"strings"
)

// docs are the comments of a package's declarations, and their order: by name, a field's or method's as "Type.Name".
type docs struct {
	text  map[string]string
	order map[string]int
}

func (d *docs) of(name string) string { return d.text[name] }

func readDocs(files []*ast.File) *docs {
	d := &docs{map[string]string{}, map[string]int{}}
	for _, file := range files {
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				if decl.Recv != nil && len(decl.Recv.List) == 1 {
					d.add(receiverName(decl.Recv.List[0].Type)+"."+decl.Name.Name, decl.Doc)
				}
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					d.spec(decl, spec)
				}
			}
		}
	}
	return d
}

func (d *docs) add(name string, groups ...*ast.CommentGroup) {
	if _, seen := d.order[name]; seen {
		return
	}
	d.order[name] = len(d.order)
	for _, group := range groups {
		if text := strings.TrimSpace(group.Text()); text != "" {
			d.text[name] = text
			return
		}
	}
}

func (d *docs) spec(decl *ast.GenDecl, spec ast.Spec) {
	// A declaration's own comment belongs to its spec when it has but one.
	group := decl.Doc
	if decl.Lparen != token.NoPos {
		group = nil
	}
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		d.add(spec.Name.Name, spec.Doc, group, spec.Comment)
		var members *ast.FieldList
		switch of := spec.Type.(type) {
		case *ast.StructType:
			members = of.Fields
		case *ast.InterfaceType:
			members = of.Methods
		default:
			return
		}
		for _, member := range members.List {
			names := member.Names
			if len(names) == 0 {
				if name := receiverName(member.Type); name != "" {
					d.add(spec.Name.Name+"."+name, member.Doc, member.Comment)
				}
			}
			for _, name := range names {
				d.add(spec.Name.Name+"."+name.Name, member.Doc, member.Comment)
			}
		}
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			d.add(name.Name, spec.Doc, group, spec.Comment)
		}
	}
}

// receiverName is the name of the type that an expression such as *T, pkg.T or T[A] names.
func receiverName(expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.Ident:
		return expr.Name
	case *ast.StarExpr:
		return receiverName(expr.X)
	case *ast.ParenExpr:
		return receiverName(expr.X)
	case *ast.SelectorExpr:
		return expr.Sel.Name
	case *ast.IndexExpr:
		return receiverName(expr.X)
	case *ast.IndexListExpr:
		return receiverName(expr.X)
	}
	return ""
}
