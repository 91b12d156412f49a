package autoconfig_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/relaystream/autoconfig"

// knows lists, for each package, the packages outside the standard library that its code may import,
// lower layers first. Packages of this repository are named by their directory, others by their module.
// Tests may import what they like, and so may bench, which nothing imports.
var knows = map[string][]string{
	"stream":            {"github.com/cenkalti/backoff/v4"},
	"stream/streamtest": {"stream"},
	"stream/rx":         {"stream", "github.com/reactivex/rxgo/v2"},
	"stream/sse":        {"stream", "internal/plainhttp", "github.com/cenkalti/backoff/v4", "github.com/launchdarkly/eventsource"},
	"decode":            {"stream", "stream/sse", "internal/mask"},
	"diff":              {"stream", "decode", "internal/mask", "github.com/google/go-cmp"},
	"cache":             {"stream", "decode", "diff"},
	".": {
		"stream", "stream/sse", "decode", "diff", "cache",
		"internal/disconnect", "internal/goroutine", "internal/journal", "internal/mask", "internal/plainhttp",
		"github.com/cenkalti/backoff/v4", "github.com/launchdarkly/go-sdk-common/v3",
	},

	"internal/goroutine":  {},
	"internal/mask":       {},
	"internal/plainhttp":  {},
	"internal/disconnect": {"stream/sse", "decode"},
	"internal/journal":    {"stream", "decode", "diff", "github.com/launchdarkly/go-sdk-common/v3"},

	"autoconfigtest":        {"decode", "internal/mask", "github.com/launchdarkly/eventsource"},
	"otel":                  {".", "stream", "go.opentelemetry.io/otel"},
	"examples/quickstart":   {".", "autoconfigtest", "github.com/launchdarkly/go-sdk-common/v3"},
	"examples/relayhandler": {".", "github.com/launchdarkly/go-sdk-common/v3"},
}

func TestImportsPointDownwards(t *testing.T) {
	for directory, imports := range importsByPackage(t) {
		allowed, listed := knows[directory]
		if !listed {
			t.Errorf("package %s is not in the table: give it a row, and a place in ARCHITECTURE.md", directory)
			continue
		}
		for path, file := range imports {
			if !slices.ContainsFunc(allowed, func(entry string) bool { return covers(entry, path) }) {
				t.Errorf("%s imports %s, which %s may not know", file, path, directory)
			}
		}
	}
}

// covers reports whether an entry of the table stands for an import path.
func covers(entry, path string) bool {
	if directory, ok := strings.CutPrefix(path, module); ok {
		return entry == directoryOf(directory)
	}
	return path == entry || strings.HasPrefix(path, entry+"/")
}

// directoryOf returns the directory of an import path from which the module's was cut off.
func directoryOf(rest string) string {
	if rest == "" {
		return "."
	}
	return rest[1:]
}

// importsByPackage returns what each directory's code imports from outside the standard library, with a
// file that does. Directories without code are left out.
func importsByPackage(t *testing.T) map[string]map[string]string {
	t.Helper()
	packages := make(map[string]map[string]string)
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && ignored(path):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		directory := filepath.ToSlash(filepath.Dir(path))
		if packages[directory] == nil {
			packages[directory] = make(map[string]string)
		}
		return addImports(packages[directory], path)
	})
	if err != nil {
		t.Fatal(err)
	}
	return packages
}

// ignored reports whether a directory has no packages of the table.
func ignored(path string) bool {
	name := filepath.Base(path)
	return path == "bench" || name == "testdata" || path != "." && (name[0] == '.' || name[0] == '_')
}

func addImports(to map[string]string, file string) error {
	syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		return err
	}
	for _, spec := range syntax.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		if domain, _, _ := strings.Cut(path, "/"); strings.Contains(domain, ".") {
			to[path] = file
		}
	}
	return nil
}
