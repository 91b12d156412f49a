package stream_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// exported returns the names of the package's exported functions and of the methods of Observable.
func exported(t *testing.T) map[string]bool {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Name.IsExported() && receiver(f) == "Observable" {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}

// receiver returns the type that f is a method of, and "Observable" for functions, which are its
// methods in all but syntax.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return "Observable"
	}
	t := f.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if index, ok := t.(*ast.IndexExpr); ok {
		t = index.X
	}
	return t.(*ast.Ident).Name
}

// TestReadmeIsComplete: its tables name every function of the package, and none that is not there.
func TestReadmeIsComplete(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	missing := exported(t)
	// How a Subject or a Behavior is made is its own documentation's affair.
	known := maps.Clone(missing)
	known["Subject"], known["Behavior"], known["ErrTimeout"] = true, true, true
	delete(missing, "NewSubject")
	code := regexp.MustCompile("`([A-Z][A-Za-z0-9]*)[^`]*`")
	for line := range strings.Lines(string(readme)) {
		cells := strings.Split(line, "|")
		if len(cells) < 6 {
			continue
		}
		for _, cell := range []string{cells[2], cells[5]} {
			for _, name := range code.FindAllStringSubmatch(cell, -1) {
				if !known[name[1]] {
					t.Errorf("the package has no %s", name[1])
				}
				delete(missing, name[1])
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("not named: %v", slices.Sorted(maps.Keys(missing)))
	}
}
