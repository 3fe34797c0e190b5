//go:build go1.22

package main

import (
	"debug/dwarf"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"fmt"
	"go/token"
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
