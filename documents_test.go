package autoconfig_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// filesOf returns the contents of the files of this repository whose names end with suffix, by path.
func filesOf(t *testing.T, suffix string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	for _, path := range filesBelow(t, func(path string) bool { return strings.HasSuffix(path, suffix) }) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[path] = string(text)
	}
	return files
}

func isTest(path string) bool { return strings.HasSuffix(path, "_test.go") }

// TestDocumentsNameTestsThatExist looks up every test, fuzz target, benchmark and example that a document
// names. The name of its package precedes it, except in the root package.
func TestDocumentsNameTestsThatExist(t *testing.T) {
	functions := make(map[string]bool)
	for path, file := range goFiles(t, isTest, parser.SkipObjectResolution) {
		directory := filepath.Base(filepath.Dir(path))
		for _, function := range functionsOf(file) {
			functions[strings.TrimPrefix(directory+"."+function.Name.Name, "..")] = true
		}
	}
	mention := regexp.MustCompile(`\b(?:func |\w+\.)?(?:Test|Fuzz|Benchmark|Example)[A-Z]\w+\b`)
	mentions := 0
	for path, text := range filesOf(t, ".md") {
		for _, name := range mention.FindAllString(text, -1) {
			if strings.HasPrefix(name, "func ") {
				continue // code that shows how to write one
			}
			mentions++
			if !functions[name] {
				t.Errorf("%s names %s, which does not exist", path, name)
			}
		}
	}
	if mentions == 0 {
		t.Error("no document names a test")
	}
}

// functionsOf returns the functions of a file that are not methods.
func functionsOf(file *ast.File) (functions []*ast.FuncDecl) {
	for _, declaration := range file.Decls {
		if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv == nil {
			functions = append(functions, f)
		}
	}
	return functions
}

// TestPackagesSearchForLeaks checks that the tests of every package end with a search for leaked goroutines. Those
// in bench/clients and bench/migration run libraries of others, which do leak some.
func TestPackagesSearchForLeaks(t *testing.T) {
	searches := make(map[string]bool)
	for path, file := range goFiles(t, isTest, parser.SkipObjectResolution) {
		directory := filepath.Dir(path)
		searches[directory] = searches[directory] || searchesForLeaks(file)
	}
	for directory, found := range searches {
		if !found && directory != "bench/clients" && directory != "bench/migration" {
			t.Errorf("no TestMain of %s calls goleak.VerifyTestMain", directory)
		}
	}
}

// searchesForLeaks reports whether a file has a TestMain that calls goleak.VerifyTestMain.
func searchesForLeaks(file *ast.File) (found bool) {
	for _, function := range functionsOf(file) {
		if function.Name.Name != "TestMain" {
			continue
		}
		ast.Inspect(function, func(node ast.Node) bool {
			if selector, ok := node.(*ast.SelectorExpr); ok && selector.Sel.Name == "VerifyTestMain" {
				found = true
			}
			return true
		})
	}
	return found
}

// TestDependenciesAreListed compares the table in DEPENDENCIES.md with go.mod.
func TestDependenciesAreListed(t *testing.T) {
	if required, listed := requiredModules(t), listedModules(t); !maps.Equal(required, listed) {
		t.Errorf("-required +listed:\n%s", cmp.Diff(required, listed))
	}
}

// requiredModules returns the versions of the direct dependencies.
func requiredModules(t *testing.T) map[string]string {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path, Version string
			Indirect      bool
		}
	}
	if err := json.Unmarshal(text, &mod); err != nil {
		t.Fatal(err)
	}
	versions := make(map[string]string)
	for _, module := range mod.Require {
		if !module.Indirect {
			versions[module.Path] = module.Version
		}
	}
	return versions
}

// listedModules returns the first two columns of the rows of the first table that name a module.
func listedModules(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("DEPENDENCIES.md")
	if err != nil {
		t.Fatal(err)
	}
	versions := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, "|"); len(cells) > 2 && strings.HasPrefix(cells[1], " `") {
			versions[strings.Trim(cells[1], " `")] = strings.TrimSpace(cells[2])
		}
	}
	return versions
}
