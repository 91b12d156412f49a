package stream_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// functions returns the names of the functions in the files that match, each with the type of which
// it is a method, or "".
func functions(t *testing.T, tests bool) (names [][2]string, results map[string]string) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	results = map[string]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") != tests {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Name.IsExported() {
				names = append(names, [2]string{receiver(f), f.Name.Name})
				results[f.Name.Name] = result(f)
			}
		}
	}
	return names, results
}

// exported returns the names of the package's exported functions and of the methods of Observable,
// which are functions in all but syntax, but not those that make a Policy.
func exported(t *testing.T) map[string]bool {
	functions, results := functions(t, false)
	names := map[string]bool{}
	for _, f := range functions {
		if f[0] == "" && results[f[1]] != "Policy" || f[0] == "Observable" {
			names[f[1]] = true
		}
	}
	return names
}

// receiver returns the type that f is a method of, or "".
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	return typeName(f.Recv.List[0].Type)
}

// result returns the first type that f returns, or "".
func result(f *ast.FuncDecl) string {
	if f.Type.Results == nil {
		return ""
	}
	return typeName(f.Type.Results.List[0].Type)
}

func typeName(t ast.Expr) string {
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if index, ok := t.(*ast.IndexExpr); ok {
		t = index.X
	}
	if name, ok := t.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReadmeIsComplete: its tables name every function of the package, and none that is not there.
func TestReadmeIsComplete(t *testing.T) {
	missing := exported(t)
	known := maps.Clone(missing)
	for _, name := range []string{
		"Subject", "ReplaySubject", "Behavior", "ErrTimeout", "Block", "DropOldest", "DropNewest", "FailSlow", "Coalesce",
	} {
		known[name] = true
	}
	delete(missing, "NewSubject") // How a Subject is made is its own documentation's affair.
	code := regexp.MustCompile("`([A-Z][A-Za-z0-9]*)[^`]*`")
	for line := range strings.Lines(read(t, "README.md")) {
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

// TestEverythingHasAnExample: every function and every terminal.
func TestEverythingHasAnExample(t *testing.T) {
	missing := exported(t)
	tests, _ := functions(t, true)
	for _, f := range tests {
		example, ok := strings.CutPrefix(f[1], "Example")
		if !ok {
			continue
		}
		subject, detail, _ := strings.Cut(example, "_")
		delete(missing, subject)
		delete(missing, "New"+subject)
		if subject == "Observable" {
			delete(missing, detail)
		}
	}
	if len(missing) > 0 {
		t.Errorf("without an example: %v", slices.Sorted(maps.Keys(missing)))
	}
}

// blocks returns the code of one language in a document, a string for each block.
func blocks(document, language string) (all []string) {
	for _, match := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(document, -1) {
		all = append(all, match[1])
	}
	return all
}

// TestSnippetsAreCode: every piece of Go in the documents stands in a file that is compiled, line by
// line, and so do those of RxGo and of ro.
func TestSnippetsAreCode(t *testing.T) {
	var compiled strings.Builder
	for _, pattern := range []string{"*.go", "rx/*_test.go", "streamtest/*_test.go", "../bench/migration/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, name := range files {
			compiled.WriteString(unindented(read(t, name)))
		}
	}
	for _, document := range []string{"README.md", "MIGRATION.md"} {
		for _, block := range blocks(read(t, document), "go") {
			program := strings.HasPrefix(block, "package main") || strings.HasPrefix(block, "import")
			if !program && !strings.Contains(compiled.String(), unindented(block)) {
				t.Errorf("%s has code that no file has:\n%s", document, block)
			}
		}
	}
}

func unindented(code string) string {
	var text strings.Builder
	for line := range strings.Lines(code) {
		text.WriteString(strings.TrimLeft(line, "\t"))
	}
	return text.String()
}

// TestReadmeProgram: the program on the first screen runs and prints what is said.
func TestReadmeProgram(t *testing.T) {
	readme := read(t, "README.md")
	programs := slices.DeleteFunc(blocks(readme, "go"), func(b string) bool { return !strings.HasPrefix(b, "package main") })
	outputs := blocks(readme, "text")
	if len(programs) != 1 || len(outputs) != 1 {
		t.Fatalf("%d programs and %d outputs", len(programs), len(outputs))
	}
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(programs[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := exec.CommandContext(t.Context(), "go", "run", file).CombinedOutput()
	if err != nil || string(output) != outputs[0] {
		t.Errorf("%v\n%s", err, output)
	}
}

// rows returns the rows of the tables below a heading of the README, as cells.
func rows(t *testing.T, heading string) (rows [][]string) {
	_, text, found := strings.Cut(read(t, "README.md"), "## "+heading+"\n")
	if !found {
		t.Fatalf("no heading %s", heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	return slices.DeleteFunc(rows, func(cells []string) bool { return len(cells) < 2 })
}
