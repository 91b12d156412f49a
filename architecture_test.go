package autoconfig_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
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
	"stream/sse":        {"stream", "internal/enum", "internal/plainhttp", "internal/quote", "github.com/cenkalti/backoff/v4", "github.com/launchdarkly/eventsource"},
	"decode":            {"stream", "stream/sse", "internal/enum", "internal/expiry", "internal/mask", "internal/quote"},
	"diff":              {"stream", "decode", "internal/enum", "internal/quote", "github.com/google/go-cmp"},
	"cache":             {"stream", "decode", "diff", "internal/enum", "internal/limited", "internal/seal", "internal/snapshot"},
	"file":              {"stream", "decode", "internal/limited", "github.com/fsnotify/fsnotify"},
	"params":            {"stream", "decode", "diff", "internal/expiry", "internal/mask"},
	".": {
		"stream", "stream/sse", "decode", "diff", "cache", "params",
		"internal/disconnect", "internal/enum", "internal/goroutine", "internal/journal", "internal/connkey",
		"internal/reconnect", "internal/tally", "internal/tap", "internal/upstream", "github.com/launchdarkly/go-sdk-common/v3",
	},

	"internal/enum":       {},
	"internal/goroutine":  {},
	"internal/snippets":   {},
	"internal/limited":    {},
	"internal/mask":       {},
	"internal/quote":      {},
	"internal/expiry":     {},
	"internal/plainhttp":  {},
	"internal/request":    {},
	"internal/stamp":      {},
	"internal/connkey":    {},
	"internal/tap":        {"stream"},
	"internal/seal":       {},
	"internal/snapshot":   {"stream", "stream/sse", "decode", "diff"},
	"internal/tally":      {"diff", "internal/stamp"},
	"internal/upstream":   {"stream", "stream/sse", "decode", "internal/plainhttp", "internal/tap"},
	"internal/disconnect": {"stream/sse", "decode", "internal/enum"},
	"internal/reconnect":  {"stream/sse", "internal/disconnect", "github.com/cenkalti/backoff/v4"},
	"internal/journal": {
		"stream", "stream/sse", "decode", "diff", "cache", "internal/disconnect", "internal/quote", "github.com/launchdarkly/go-sdk-common/v3",
	},
	"internal/testkit": {
		".", "autoconfigtest", "decode", "stream", "github.com/google/go-cmp", "github.com/launchdarkly/go-sdk-common/v3", "go.uber.org/goleak",
	},

	"autoconfigtest":             {"decode", "internal/mask", "internal/request", "github.com/launchdarkly/eventsource"},
	"stream/sse/contractservice": {"stream/sse"},
	"fleet":                      {".", "stream", "stream/sse", "decode", "diff", "internal/journal", "internal/mask", "internal/seal", "internal/snapshot", "github.com/nats-io/nats.go"},
	"otel":                       {".", "stream", "go.opentelemetry.io/otel"},
	"hub":                        {".", "stream", "decode", "diff", "internal/request"},
	"hub/internal/web":           {},
	"hub/internal/browser":       {"github.com/chromedp"},
	"hub/page":                   {".", "stream", "diff", "hub", "hub/internal/web"},
	"hub/admin": {
		".", "otel", "internal/mask", "hub", "hub/page", "hub/internal/web", "github.com/prometheus/client_golang", "go.opentelemetry.io/otel",
	},
	"hub/cmd/autoconfig/internal/cli":   {".", "stream/sse", "internal/quote", "github.com/charmbracelet/x/term"},
	"hub/cmd/autoconfig/internal/check": {".", "stream/sse", "decode", "internal/plainhttp", "hub/cmd/autoconfig/internal/cli"},
	"hub/cmd/autoconfig/internal/watch": {
		".", "stream", "internal/quote", "hub/cmd/autoconfig/internal/cli", "charm.land/bubbletea", "github.com/charmbracelet/x/ansi",
	},
	"hub/cmd/autoconfig/internal/demo": {".", "autoconfigtest"},
	"hub/cmd/autoconfig/internal/serve": {
		".", "stream", "file", "fleet", "autoconfigtest", "internal/journal", "internal/quote", "internal/request", "hub", "hub/admin",
		"hub/cmd/autoconfig/internal/cli", "hub/cmd/autoconfig/internal/demo", "github.com/nats-io/nats.go",
	},
	"hub/cmd/autoconfig": {
		"hub/cmd/autoconfig/internal/cli", "hub/cmd/autoconfig/internal/check", "hub/cmd/autoconfig/internal/serve",
		"hub/cmd/autoconfig/internal/watch",
	},
	"examples/quickstart": {".", "autoconfigtest", "github.com/launchdarkly/go-sdk-common/v3"},
	"examples/follow":     {"."},
	"examples/fleet":      {".", "autoconfigtest", "fleet", "stream", "github.com/nats-io/nats-server/v2", "github.com/nats-io/nats.go"},
	"examples/relayhandler": {
		".", "examples/relayhandler/internal/config", "examples/relayhandler/internal/envfactory",
		"examples/relayhandler/internal/relayenv", "github.com/launchdarkly/go-sdk-common/v3",
	},
	"examples/relayhandler/internal/config":     {},
	"examples/relayhandler/internal/relayenv":   {"examples/relayhandler/internal/config"},
	"examples/relayhandler/internal/envfactory": {"examples/relayhandler/internal/config", "examples/relayhandler/internal/relayenv"},
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

// importsByPackage returns the packages outside the standard library that the code of each directory
// imports, with a file that does. Directories without code are left out.
func importsByPackage(t *testing.T) map[string]map[string]string {
	t.Helper()
	packages := make(map[string]map[string]string)
	for path, file := range goFiles(t, isCode, parser.ImportsOnly) {
		directory := filepath.ToSlash(filepath.Dir(path))
		if packages[directory] == nil {
			packages[directory] = make(map[string]string)
		}
		for _, imported := range importsOf(file) {
			packages[directory][imported] = path
		}
	}
	return packages
}

// isCode reports whether a file is part of a package of the table.
func isCode(path string) bool {
	return filepath.Ext(path) == ".go" && !isTest(path) && !strings.HasPrefix(filepath.ToSlash(path), "bench/")
}

// importsOf returns the imports of a file from outside the standard library.
func importsOf(file *ast.File) (paths []string) {
	for _, spec := range file.Imports {
		path := strings.Trim(spec.Path.Value, "`\"")
		if domain, _, _ := strings.Cut(path, "/"); strings.Contains(domain, ".") {
			paths = append(paths, path)
		}
	}
	return paths
}

// goFiles parses the Go files of this repository that match.
func goFiles(t *testing.T, match func(path string) bool, mode parser.Mode) map[string]*ast.File {
	t.Helper()
	files := make(map[string]*ast.File)
	for _, path := range filesBelow(t, match) {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, mode)
		if err != nil {
			t.Fatal(err)
		}
		files[path] = file
	}
	if len(files) == 0 {
		t.Fatal("no files match")
	}
	return files
}

// filesBelow returns the files of this repository that match, without those that the go command ignores.
func filesBelow(t *testing.T, match func(path string) bool) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		name := filepath.Base(path)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != "." && (name == "testdata" || name[0] == '.' || name[0] == '_'):
			return filepath.SkipDir
		case !entry.IsDir() && match(path):
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
