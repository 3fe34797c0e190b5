//go:build go1.22

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// listed is what `go list -json` says of a package.
type listed struct {
	ImportPath      string
	Name            string
	Dir             string
	Export          string
	CompiledGoFiles []string
	ImportMap       map[string]string
	Standard        bool
	DepOnly         bool
	Module          *struct {
		Path, Version string
		Replace       *struct{ Path, Version string }
	}
	Error      *struct{ Pos, Err string }
	DepsErrors []*struct{ Pos, Err string }
}

// program is the packages that were asked for and all that they import.
type program struct {
	fset     *token.FileSet
	packages map[string]*listed
	roots    []string
	importer types.Importer
	syntax   map[string][]*ast.File
	checked  map[string]*checked
}

// checked is a package whose source was type-checked.
type checked struct {
	path  string
	pkg   *types.Package
	files []*ast.File
	info  *types.Info
}

func load(patterns []string) (*program, error) {
	if len(patterns) == 0 {
		return nil, errors.New("name at least one Go package: a folder such as ./plugin, or an import path")
	}
	args := append([]string{"list", "-e", "-deps", "-export", "-compiled",
		"-json=ImportPath,Name,Dir,Export,CompiledGoFiles,ImportMap,Standard,DepOnly,Module,Error,DepsErrors", "--"},
		patterns...)
	cmd := exec.Command("go", args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, errors.New(firstLine(stderr.String(), "go list: "+err.Error()))
	}
	p := &program{
		fset:     token.NewFileSet(),
		packages: map[string]*listed{},
		syntax:   map[string][]*ast.File{},
		checked:  map[string]*checked{},
	}
	for decoder := json.NewDecoder(&stdout); ; {
		var pkg listed
		if err := decoder.Decode(&pkg); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		p.packages[pkg.ImportPath] = &pkg
		if !pkg.DepOnly {
			p.roots = append(p.roots, pkg.ImportPath)
		}
	}
	for _, path := range p.roots {
		pkg := p.packages[path]
		if pkg.Error != nil {
			return nil, fmt.Errorf("%s: %s", path, compileError(pkg.Error.Pos, pkg.Error.Err))
		}
		for _, e := range pkg.DepsErrors {
			return nil, fmt.Errorf("%s: %s", path, compileError(e.Pos, e.Err))
		}
	}
	if len(p.roots) == 0 {
		return nil, fmt.Errorf("no Go package matches %s", strings.Join(patterns, " "))
	}
	p.importer = importer.ForCompiler(p.fset, runtime.Compiler, p.export)
	return p, nil
}

// export opens what the compiler wrote of a package's types.
func (p *program) export(path string) (io.ReadCloser, error) {
	pkg := p.packages[path]
	if pkg == nil || pkg.Export == "" {
		return nil, fmt.Errorf("no export data of %s", path)
	}
	return os.Open(pkg.Export)
}

// Import lets the type checker see packages through the importing package's ImportMap (vendoring).
type mapped struct {
	program *program
	from    *listed
}

func (m mapped) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if to, ok := m.from.ImportMap[path]; ok {
		path = to
	}
	return m.program.importer.Import(path)
}

// files are a package's syntax trees, with comments.
func (p *program) files(path string) ([]*ast.File, error) {
	if files, ok := p.syntax[path]; ok {
		return files, nil
	}
	pkg := p.packages[path]
	if pkg == nil {
		return nil, nil
	}
	var files []*ast.File
	for _, name := range pkg.CompiledGoFiles {
		if !filepath.IsAbs(name) {
			name = filepath.Join(pkg.Dir, name)
		}
		file, err := parser.ParseFile(p.fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	p.syntax[path] = files
	return files, nil
}

// check type-checks a package's source, bodies of functions included.
func (p *program) check(path string) (*checked, error) {
	if done, ok := p.checked[path]; ok {
		return done, nil
	}
	files, err := p.files(path)
	if err != nil {
		return nil, err
	}
	info := &types.Info{
		Types:     map[ast.Expr]types.TypeAndValue{},
		Defs:      map[*ast.Ident]types.Object{},
		Uses:      map[*ast.Ident]types.Object{},
		Instances: map[*ast.Ident]types.Instance{},
	}
	var first error
	config := types.Config{
		Importer: mapped{p, p.packages[path]},
		Error: func(err error) {
			if first == nil {
				first = err
			}
		},
	}
	pkg, _ := config.Check(path, p.fset, files, info)
	if first != nil {
		return nil, fmt.Errorf("%s: %w", path, first)
	}
	done := &checked{path, pkg, files, info}
	p.checked[path] = done
	return done, nil
}

// compileError is the first line of a compiler's message that names a place, with the advice that it announces.
func compileError(pos, text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			if strings.HasSuffix(line, ":") && i+1 < len(lines) {
				line += " " + strings.TrimSpace(lines[i+1])
			}
			if pos != "" && !strings.Contains(line, ".go:") {
				return pos + ": " + line
			}
			return line
		}
	}
	return pos
}

func firstLine(text, otherwise string) string {
	for _, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "go: downloading") {
			return line
		}
	}
	return otherwise
}

// moduleOf is the module that a package comes from, with its version ("" for a folder's, "std" for Go's own).
func (p *program) moduleOf(path string) (module, version string) {
	pkg := p.packages[path]
	switch {
	case pkg == nil:
		return "", ""
	case pkg.Standard:
		return "std", ""
	case pkg.Module == nil:
		return "", ""
	}
	version = pkg.Module.Version
	if pkg.Module.Replace != nil && pkg.Module.Replace.Version != "" {
		version = pkg.Module.Replace.Version
	}
	return pkg.Module.Path, version
}
