package autoconfig_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// filesOf returns the contents of all files below this directory whose names end with suffix, by path.
func filesOf(t *testing.T, suffix string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, suffix) {
			return err
		}
		text, err := os.ReadFile(path)
		files[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestDocumentsNameTestsThatExist looks up every test, fuzz target, benchmark and example that a
// document names, with the name of its package before it or, for the root package, without.
func TestDocumentsNameTestsThatExist(t *testing.T) {
	functions := make(map[string]bool)
	declaration := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark|Example)\w+)\(`)
	for path, text := range filesOf(t, "_test.go") {
		directory := filepath.Base(filepath.Dir(path))
		for _, m := range declaration.FindAllStringSubmatch(text, -1) {
			functions[strings.TrimPrefix(directory+"."+m[1], "..")] = true
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

// TestPackagesSearchForLeaks: where code starts goroutines, the tests end with a search for some that are
// left. The examples are programs.
func TestPackagesSearchForLeaks(t *testing.T) {
	starts := regexp.MustCompile(`(?m)^\s*go [\w(]|\b(?:running|wg|group)\.Go\(|context\.AfterFunc\(|httptest\.New`)
	starting, searching := make(map[string]bool), make(map[string]bool)
	for path, text := range filesOf(t, ".go") {
		directory := filepath.Dir(path)
		if strings.HasPrefix(path, "examples") {
			continue
		}
		switch test := strings.HasSuffix(path, "_test.go"); {
		case test && strings.Contains(text, "goleak."):
			searching[directory] = true
		case !test && starts.MatchString(text):
			starting[directory] = true
		}
	}
	if len(starting) == 0 {
		t.Error("no package starts a goroutine")
	}
	for directory := range starting {
		if !searching[directory] {
			t.Errorf("%s starts goroutines, and its tests do not search for leaks", directory)
		}
	}
}

// TestDependenciesAreListed compares DEPENDENCIES.md with go.mod.
func TestDependenciesAreListed(t *testing.T) {
	find := func(path, pattern string) map[string]string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found := make(map[string]string)
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			found[m[1]] = m[2]
		}
		return found
	}
	required := find("go.mod", `(?m)^(?:require )?\t?([a-z]\S*\.\S+) (v\S+)$`)
	listed := find("DEPENDENCIES.md", "(?m)^\\| `(\\S+)` \\| (v\\S+) \\|")
	if len(required) == 0 || !maps.Equal(required, listed) {
		t.Errorf("-required +listed:\n%s", cmp.Diff(required, listed))
	}
}
