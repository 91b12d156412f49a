package autoconfig_test

import (
	"bytes"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/internal/snippets"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// TestDocumentsAreCode: the code in these documents is in files that are compiled and tested.
func TestDocumentsAreCode(t *testing.T) {
	for _, path := range []string{"README.md", "RECIPES.md"} {
		document, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		blocks := snippets.Blocks(string(document), "go")
		if len(blocks) == 0 {
			t.Errorf("%s has no code", path)
		}
		missing, err := snippets.Missing(blocks, "*_test.go", "examples/*/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range missing {
			t.Errorf("%s has code that no file has:\n%s", path, block)
		}
	}
}

// TestDocumentsLinkToFilesThatExist: every link to a file leads to one, and in the table of ARCHITECTURE.md
// every Go file that a row names is in the package of that row.
func TestDocumentsLinkToFilesThatExist(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^):#]+)(?:#[^)]*)?\)`)
	code := regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	for path, text := range filesOf(t, ".md") {
		for _, match := range link.FindAllStringSubmatch(code.ReplaceAllString(text, ""), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), match[1])); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	name := regexp.MustCompile("`([a-z/]+\\.go)`")
	for line := range strings.Lines(filesOf(t, ".md")["ARCHITECTURE.md"]) {
		directory := "."
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			if target := link.FindStringSubmatch(cells[1]); target != nil {
				directory = target[1]
			}
		}
		for _, match := range name.FindAllStringSubmatch(line, -1) {
			if _, err := os.Stat(filepath.Join(directory, match[1])); err != nil {
				t.Errorf("ARCHITECTURE.md: %v", err)
			}
		}
	}
}

// TestRejectedKeyIsSeenWithoutALogger: the default logger gets it, and nothing that is no warning.
func TestRejectedKeyIsSeenWithoutALogger(t *testing.T) {
	var lines bytes.Buffer
	logger, writer, flags := slog.Default(), log.Writer(), log.Flags()
	slog.SetDefault(slog.New(slog.NewTextHandler(&lines, nil)))
	defer func() {
		slog.SetDefault(logger)
		log.SetOutput(writer)
		log.SetFlags(flags)
	}()
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Next(autoconfigtest.Status(401))
		client, err := autoconfig.Open(t.Context(), testkit.Key, testkit.To(srv))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		client.Close()
	})
	if text := lines.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "level=ERROR") {
		t.Errorf("log:\n%s", text)
	}
}
