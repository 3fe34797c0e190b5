//go:build go1.22

package main

import (
	"fmt"
	"go/token"
	"go/types"
	"sort"
	"strings"
)

// typeSet turns go/types types into references, and collects the named types that they reach.
type typeSet struct {
	types map[string]*Type
	// docs gives the comments of a package's declarations.
	docs func(path string) *docs
	// reached are the packages of the named types.
	reached map[string]bool
	// refused says of each named type why gob cannot send it, "" if it can or while it is being looked at.
	refused map[string]string
}

func newTypeSet(docs func(string) *docs) *typeSet {
	return &typeSet{map[string]*Type{}, docs, map[string]bool{}, map[string]string{}}
}

// gobPath is what reflect's PkgPath says at run time.
func gobPath(pkg *types.Package) string {
	if pkg.Name() == "main" {
		return "main"
	}
	return pkg.Path()
}

// typeName is reflect's PkgPath and Name of a named type; the name of an instance has its arguments' full names.
func typeName(named *types.Named) string {
	obj := named.Obj()
	if obj.Pkg() == nil {
		return obj.Name()
	}
	return gobPath(obj.Pkg()) + "." + shortName(named)
}

func shortName(named *types.Named) string {
	name := named.Obj().Name()
	args := named.TypeArgs()
	if args.Len() == 0 {
		return name
	}
	texts := make([]string, args.Len())
	for i := range texts {
		texts[i] = types.TypeString(args.At(i), gobPath)
	}
	return name + "[" + strings.Join(texts, ",") + "]"
}

// reflectString is reflect's Type.String(): package names instead of import paths, but for type arguments.
func reflectString(t types.Type) string {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		if t.Obj().Pkg() == nil {
			return t.Obj().Name()
		}
		return t.Obj().Pkg().Name() + "." + shortName(t)
	case *types.Pointer:
		return "*" + reflectString(t.Elem())
	case *types.Slice:
		return "[]" + reflectString(t.Elem())
	case *types.Array:
		return fmt.Sprintf("[%d]%s", t.Len(), reflectString(t.Elem()))
	case *types.Map:
		return "map[" + reflectString(t.Key()) + "]" + reflectString(t.Elem())
	case *types.Interface:
		if t.Empty() {
			return "interface {}"
		}
	case *types.Basic:
		return types.Typ[t.Kind()].Name()
	case *types.Struct:
		if t.NumFields() == 0 {
			return "struct {}"
		}
		fields := make([]string, t.NumFields())
		for i := range fields {
			f := t.Field(i)
			fields[i] = f.Name() + " " + reflectString(f.Type())
			if f.Embedded() {
				fields[i] = reflectString(f.Type())
			}
			if tag := t.Tag(i); tag != "" {
				fields[i] += fmt.Sprintf(" %q", tag)
			}
		}
		return "struct { " + strings.Join(fields, "; ") + " }"
	}
	return types.TypeString(t, func(pkg *types.Package) string { return pkg.Name() })
}

// registeredName is the name that gob.Register gives a type (encoding/gob/type.go).
func registeredName(t types.Type) string {
	t = types.Unalias(t)
	if named, ok := t.(*types.Named); ok {
		return typeName(named)
	}
	return reflectString(t)
}

// ref makes a reference to a type; why is set when gob cannot send it.
func (s *typeSet) ref(t types.Type) (ref Ref, why string) {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		if t.Kind() == types.UnsafePointer || t.Info()&types.IsUntyped != 0 || t.Kind() == types.Invalid {
			return refused(fmt.Sprintf("gob cannot send %s", t))
		}
		return types.Typ[t.Kind()].Name(), ""
	case *types.Named:
		if types.IsInterface(t) && marshalerOf(t) == nil {
			if t.Obj().Pkg() == nil {
				return map[string]any{"interface": t.Obj().Name()}, ""
			}
			return map[string]any{"interface": typeName(t)}, ""
		}
		return s.named(t)
	case *types.Interface:
		if t.Empty() {
			return "any", ""
		}
		return map[string]any{"interface": t.String()}, ""
	case *types.Pointer:
		elem, why := s.ref(t.Elem())
		return map[string]any{"pointer": elem}, why
	case *types.Slice:
		elem, why := s.ref(t.Elem())
		return map[string]any{"slice": elem}, why
	case *types.Array:
		elem, why := s.ref(t.Elem())
		return map[string]any{"array": elem, "length": t.Len()}, why
	case *types.Map:
		key, keyWhy := s.ref(t.Key())
		elem, why := s.ref(t.Elem())
		if keyWhy != "" {
			why = keyWhy
		}
		return map[string]any{"map": elem, "key": key}, why
	case *types.Struct:
		return s.structure(t, func(string) string { return "" })
	case *types.Chan:
		return refused("gob cannot send a chan")
	case *types.Signature:
		return refused("gob cannot send a func")
	default:
		return refused(fmt.Sprintf("gob cannot send %s", t))
	}
}

func refused(why string) (Ref, string) {
	return map[string]any{"unsendable": why}, why
}

func (s *typeSet) named(t *types.Named) (ref Ref, why string) {
	name := typeName(t)
	ref = map[string]any{"named": name}
	if _, seen := s.types[name]; seen {
		return ref, s.refused[name]
	}
	pkg := t.Obj().Pkg()
	s.reached[pkg.Path()] = true
	comments := s.docs(pkg.Path())
	// Before its parts: a type may contain itself.
	of := &Type{
		Package:     gobPath(pkg),
		PackageName: pkg.Name(),
		Name:        shortName(t),
		Doc:         comments.of(t.Obj().Name()),
		Marshaler:   marshalerOf(t),
	}
	s.types[name] = of
	for i := 0; i < t.TypeArgs().Len(); i++ {
		arg, _ := s.ref(t.TypeArgs().At(i))
		of.Args = append(of.Args, arg)
	}
	if of.Marshaler != nil {
		return ref, ""
	}
	if structure, ok := t.Underlying().(*types.Struct); ok {
		of.Type, why = s.structure(structure, func(field string) string {
			return comments.of(t.Obj().Name() + "." + field)
		})
	} else {
		of.Type, why = s.ref(t.Underlying())
	}
	if why != "" && !strings.Contains(why, name) {
		why = name + ": " + why
	}
	s.refused[name] = why
	return ref, why
}

// structure follows gob's isSent: exported fields, but for channels and functions and pointers to them.
func (s *typeSet) structure(t *types.Struct, doc func(field string) string) (ref Ref, why string) {
	fields := []*Field{}
	dropped := []*Dropped{}
	for i := 0; i < t.NumFields(); i++ {
		f := t.Field(i)
		if reason := notSent(f); reason != "" {
			if f.Name() != "_" {
				dropped = append(dropped, &Dropped{f.Name(), reason})
			}
			continue
		}
		of, fieldWhy := s.ref(f.Type())
		if fieldWhy != "" && why == "" {
			why = "field " + f.Name() + ": " + fieldWhy
		}
		fields = append(fields, &Field{f.Name(), of, doc(f.Name()), f.Embedded()})
	}
	if t.NumFields() > 0 && len(fields) == 0 {
		why = "it has no exported fields"
	}
	of := map[string]any{"struct": fields}
	if len(dropped) > 0 {
		of["dropped"] = dropped
	}
	return of, why
}

func notSent(f *types.Var) string {
	if !token.IsExported(f.Name()) {
		return "unexported"
	}
	t := f.Type()
	for {
		pointer, ok := t.Underlying().(*types.Pointer)
		if !ok {
			break
		}
		t = pointer.Elem()
	}
	switch t.Underlying().(type) {
	case *types.Chan:
		return "chan"
	case *types.Signature:
		return "func"
	}
	return ""
}

// marshalerOf follows gob's validUserType: GobEncoder first, then BinaryMarshaler, on the type or a pointer to it.
func marshalerOf(t *types.Named) *Marshaler {
	for _, pair := range []struct{ kind, encode, decode string }{
		{"gob", "GobEncode", "GobDecode"},
		{"binary", "MarshalBinary", "UnmarshalBinary"},
	} {
		method := methodOf(t, pair.encode)
		if method == nil || !isEncode(method) {
			continue
		}
		if decode := methodOf(t, pair.decode); decode == nil || !isDecode(decode) {
			continue
		}
		receiver := method.Type().(*types.Signature).Recv().Type()
		pointer, isPointer := types.Unalias(receiver).(*types.Pointer)
		if isPointer {
			receiver = pointer.Elem()
		}
		m := &Marshaler{Kind: pair.kind, Pointer: isPointer}
		if of, ok := types.Unalias(receiver).(*types.Named); ok && typeName(of) != typeName(t) && !types.IsInterface(of) {
			m.Via = typeName(of)
		}
		return m
	}
	return nil
}

func methodOf(t *types.Named, name string) *types.Func {
	obj, _, _ := types.LookupFieldOrMethod(t, true, nil, name)
	method, _ := obj.(*types.Func)
	return method
}

func isBytes(t types.Type) bool {
	slice, ok := types.Unalias(t).(*types.Slice)
	return ok && types.Identical(slice.Elem(), types.Typ[types.Uint8])
}

func isError(t types.Type) bool {
	return types.Identical(t, types.Universe.Lookup("error").Type())
}

func isEncode(method *types.Func) bool {
	s := method.Type().(*types.Signature)
	return s.Params().Len() == 0 && s.Results().Len() == 2 && isBytes(s.Results().At(0).Type()) && isError(s.Results().At(1).Type())
}

func isDecode(method *types.Func) bool {
	s := method.Type().(*types.Signature)
	return s.Params().Len() == 1 && isBytes(s.Params().At(0).Type()) && s.Results().Len() == 1 && isError(s.Results().At(0).Type())
}

func (s *typeSet) packages() []string {
	paths := make([]string, 0, len(s.reached))
	for path := range s.reached {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	return paths
}
