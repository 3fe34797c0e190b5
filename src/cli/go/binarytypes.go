//go:build go1.22

package main

import (
	"debug/dwarf"
	"fmt"
	"go/token"
	"go/types"
	"reflect"
	"strings"
)

// isNamed reports whether a type's name in the debug information is one that was declared in a package.
func isNamed(text string) bool {
	for _, prefix := range []string{"*", "[", "map[", "struct {", "interface {", "func(", "chan ", "<-chan "} {
		if strings.HasPrefix(text, prefix) {
			return false
		}
	}
	path, _ := splitName(text)
	return path != ""
}

// ref makes a reference to a type, as typeSet does from source; why is set when gob cannot send it.
func (b *binary) ref(e *entry) (ref Ref, why string, err error) {
	text := name(e.Entry)
	if isNamed(text) {
		return b.named(e)
	}
	return b.unnamed(e)
}

// kindOf is reflect's kind; a typedef has that of the type that it names.
func (b *binary) kindOf(e *entry) (reflect.Kind, *entry, error) {
	for i := 0; i < 100; i++ {
		if kind, ok := e.Val(attrKind).(int64); ok {
			return reflect.Kind(kind), e, nil
		}
		if e.Tag == dwarf.TagPointerType {
			// unsafe.Pointer, and pointers of the runtime.
			return reflect.Pointer, e, nil
		}
		next, err := b.typeOf(e.Entry, dwarf.AttrType)
		if err != nil {
			return 0, nil, err
		}
		e = next
	}
	return 0, nil, fmt.Errorf("the type %s leads nowhere in the debug information", name(e.Entry))
}

func (b *binary) unnamed(e *entry) (ref Ref, why string, err error) {
	kind, under, err := b.kindOf(e)
	if err != nil {
		return nil, "", err
	}
	one := func(attr dwarf.Attr) (Ref, string, error) {
		elem, err := b.typeOf(under.Entry, attr)
		if err != nil {
			return nil, "", err
		}
		return b.ref(elem)
	}
	switch kind {
	case reflect.Interface:
		text := name(e.Entry)
		if text == "interface {}" || text == "any" {
			return "any", "", nil
		}
		return map[string]any{"interface": unescape(text)}, "", nil
	case reflect.Pointer:
		if name(e.Entry) == "unsafe.Pointer" {
			ref, why = refused("gob cannot send unsafe.Pointer")
			return ref, why, nil
		}
		elem, why, err := one(dwarf.AttrType)
		return map[string]any{"pointer": elem}, why, err
	case reflect.Slice:
		elem, why, err := one(attrElem)
		return map[string]any{"slice": elem}, why, err
	case reflect.Array:
		elem, why, err := one(dwarf.AttrType)
		return map[string]any{"array": elem, "length": arrayLength(under)}, why, err
	case reflect.Map:
		key, keyWhy, err := one(attrKey)
		if err != nil {
			return nil, "", err
		}
		elem, why, err := one(attrElem)
		if keyWhy != "" {
			why = keyWhy
		}
		return map[string]any{"map": elem, "key": key}, why, err
	case reflect.Struct:
		return b.structure(under)
	case reflect.Chan:
		ref, why = refused("gob cannot send a chan")
	case reflect.Func:
		ref, why = refused("gob cannot send a func")
	case reflect.UnsafePointer:
		ref, why = refused("gob cannot send unsafe.Pointer")
	default:
		ref = kind.String()
	}
	return ref, why, nil
}

func arrayLength(e *entry) int64 {
	for _, child := range e.children {
		if child.Tag == dwarf.TagSubrangeType {
			if count, ok := child.Val(dwarf.AttrCount).(int64); ok {
				return count
			}
			if last, ok := child.Val(dwarf.AttrUpperBound).(int64); ok {
				return last + 1
			}
		}
	}
	return 0
}

func (b *binary) named(e *entry) (ref Ref, why string, err error) {
	path, short := splitName(name(e.Entry))
	full := path + "." + short
	kind, under, err := b.kindOf(e)
	if err != nil {
		return nil, "", err
	}
	marshaler, err := b.marshalerOf(full, kind, under)
	if err != nil {
		return nil, "", err
	}
	if kind == reflect.Interface && marshaler == nil {
		return map[string]any{"interface": full}, "", nil
	}
	ref = map[string]any{"named": full}
	if _, seen := b.types[full]; seen {
		return ref, b.refused[full], nil
	}
	packageName := b.packageNames[path]
	if packageName == "" {
		packageName = path[strings.LastIndexByte(path, '/')+1:]
	}
	// Before its parts: a type may contain itself.
	of := &Type{Package: path, PackageName: packageName, Name: short, Marshaler: marshaler}
	b.types[full] = of
	if of.Args, err = b.arguments(short); err != nil {
		return nil, "", err
	}
	if marshaler != nil {
		return ref, "", nil
	}
	if of.Type, why, err = b.unnamed(e); err != nil {
		return nil, "", err
	}
	if why != "" && !strings.Contains(why, full) {
		why = full + ": " + why
	}
	b.refused[full] = why
	return ref, why, nil
}

// structure follows gob's isSent, as typeSet does from source.
func (b *binary) structure(e *entry) (ref Ref, why string, err error) {
	fields := []*Field{}
	dropped := []*Dropped{}
	members := 0
	for _, member := range e.children {
		if member.Tag != dwarf.TagMember {
			continue
		}
		members++
		of, err := b.typeOf(member, dwarf.AttrType)
		if err != nil {
			return nil, "", err
		}
		reason, err := b.notSent(name(member), of)
		if err != nil {
			return nil, "", err
		}
		if reason != "" {
			if name(member) != "_" {
				dropped = append(dropped, &Dropped{name(member), reason})
			}
			continue
		}
		fieldRef, fieldWhy, err := b.ref(of)
		if err != nil {
			return nil, "", err
		}
		if fieldWhy != "" && why == "" {
			why = "field " + name(member) + ": " + fieldWhy
		}
		embedded, _ := member.Val(attrEmbedded).(bool)
		fields = append(fields, &Field{Name: name(member), Type: fieldRef, Embedded: embedded})
	}
	if members > 0 && len(fields) == 0 {
		why = "it has no exported fields"
	}
	structure := map[string]any{"struct": fields}
	if len(dropped) > 0 {
		structure["dropped"] = dropped
	}
	return structure, why, nil
}

func (b *binary) notSent(field string, of *entry) (string, error) {
	if !token.IsExported(field) {
		return "unexported", nil
	}
	kind, under, err := b.kindOf(b.withoutPointers(of))
	for err == nil && kind == reflect.Pointer && name(under.Entry) != "unsafe.Pointer" {
		var elem *entry
		if elem, err = b.typeOf(under.Entry, dwarf.AttrType); err == nil {
			kind, under, err = b.kindOf(elem)
		}
	}
	switch {
	case err != nil:
		return "", err
	case kind == reflect.Chan:
		return "chan", nil
	case kind == reflect.Func:
		return "func", nil
	}
	return "", nil
}

// marshalerOf tells from the methods whether a type marshals itself. The linker keeps these methods, since gob asks for them
// by reflection.
func (b *binary) marshalerOf(full string, kind reflect.Kind, under *entry) (*Marshaler, error) {
	methods := b.functions[full]
	for _, pair := range []struct{ kind, encode, decode string }{
		{"gob", "GobEncode", "GobDecode"},
		{"binary", "MarshalBinary", "UnmarshalBinary"},
	} {
		encode, decode := methods[pair.encode], methods[pair.decode]
		if encode == nil || decode == nil {
			continue
		}
		m := &Marshaler{Kind: pair.kind, Pointer: encode.pointer}
		// The compiler makes a method of the pointer for each of the value, and both for promoted ones.
		if encode.wrapper && kind == reflect.Struct {
			via, pointer, err := b.promotedFrom(under, pair.encode)
			if err != nil {
				return nil, err
			}
			m.Via, m.Pointer = via, pointer
		}
		return m, nil
	}
	return nil, nil
}

// promotedFrom is the embedded type that a method of a struct comes from.
func (b *binary) promotedFrom(e *entry, method string) (via string, pointer bool, err error) {
	for _, member := range e.children {
		if embedded, _ := member.Val(attrEmbedded).(bool); member.Tag != dwarf.TagMember || !embedded {
			continue
		}
		of, err := b.typeOf(member, dwarf.AttrType)
		if err != nil {
			return "", false, err
		}
		of = b.withoutPointers(of)
		path, short := splitName(name(of.Entry))
		if f := b.functions[path+"."+short][method]; f != nil {
			if !f.wrapper {
				return path + "." + short, f.pointer, nil
			}
			kind, under, err := b.kindOf(of)
			if err != nil {
				return "", false, err
			}
			if kind == reflect.Struct {
				if via, pointer, err := b.promotedFrom(under, method); err != nil || via != "" {
					return via, pointer, err
				}
			}
			return path + "." + short, f.pointer, nil
		}
	}
	return "", false, nil
}

// arguments are the type arguments in an instance's name, as far as the file's names need them.
func (b *binary) arguments(short string) ([]Ref, error) {
	open := strings.IndexByte(short, '[')
	if open < 0 {
		return nil, nil
	}
	var args []Ref
	for _, text := range splitArguments(short[open+1 : len(short)-1]) {
		arg, err := b.argument(text)
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
	}
	return args, nil
}

// argument reads a type in an instance's name.
func (b *binary) argument(text string) (Ref, error) {
	if elem, ok := strings.CutPrefix(text, "*"); ok {
		of, err := b.argument(elem)
		return map[string]any{"pointer": of}, err
	}
	if elem, ok := strings.CutPrefix(text, "[]"); ok {
		of, err := b.argument(elem)
		return map[string]any{"slice": of}, err
	}
	if offset, ok := b.offsets[text]; ok {
		e, err := b.at(offset)
		if err != nil {
			return nil, err
		}
		ref, _, err := b.ref(e)
		return ref, err
	}
	if types.Universe.Lookup(text) != nil {
		return text, nil
	}
	return map[string]any{"interface": text}, nil
}

func splitArguments(text string) []string {
	var parts []string
	depth, start := 0, 0
	for i, r := range text {
		switch r {
		case '[', '(', '{':
			depth++
		case ']', ')', '}':
			depth--
		case ',':
			if depth == 0 {
				parts = append(parts, text[start:i])
				start = i + 1
			}
		}
	}
	return append(parts, text[start:])
}
