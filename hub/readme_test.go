package hub_test

import (
	"os"
	"testing"

	"github.com/relaystream/autoconfig/internal/snippets"
)

// TestReadmeIsCode: what README.md shows is in the examples.
func TestReadmeIsCode(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	missing, err := snippets.Missing(snippets.Blocks(string(text), "go"), "example_test.go", "page/example_test.go", "admin/example_test.go")
	if err != nil || len(missing) > 0 {
		t.Errorf("%v: not in the examples: %s", err, missing)
	}
}
