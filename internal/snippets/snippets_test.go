package snippets_test

import (
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/relaystream/autoconfig/internal/snippets"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const document = "```go\nx := 1\nif x > 0 {\n\treturn\n}\n```\nand\n```text\nx := 2\n```\n```go\n:= 1\n```\n```go\nreturn\n```\n"

func TestMissing(t *testing.T) {
	blocks := snippets.Blocks(document, "go")
	if len(blocks) != 3 {
		t.Fatalf("blocks: %q", blocks)
	}
	missing, err := snippets.Missing(blocks, "testdata/*.txt")
	if err != nil || !slices.Equal(missing, []string{":= 1\n"}) {
		t.Errorf("missing %q, error %v; want the block that begins within a line", missing, err)
	}
	if _, err := snippets.Missing(blocks, "testdata/none*"); err == nil {
		t.Error("a pattern without files is not an error")
	}
}
