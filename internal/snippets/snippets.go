// Package snippets helps tests to compare the code in documents with code that is compiled.
package snippets

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Blocks returns the fenced blocks of one language in a Markdown text, such as "go".
func Blocks(text, language string) (blocks []string) {
	fence := regexp.MustCompile("(?ms)^```" + regexp.QuoteMeta(language) + "\n(.*?)^```$")
	for _, match := range fence.FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, match[1])
	}
	return blocks
}

// Missing returns those of blocks whose lines do not stand, one after the other, in one of the files that
// match the patterns of package filepath. Indentation is ignored. A pattern that matches no file is an error.
func Missing(blocks []string, patterns ...string) (missing []string, err error) {
	code, err := read(patterns)
	if err != nil {
		return nil, err
	}
	for _, block := range blocks {
		if !strings.Contains(code, "\n"+unindented(block)) {
			missing = append(missing, block)
		}
	}
	return missing, nil
}

// read returns the lines of all files without their indentation. An empty line precedes each file.
func read(patterns []string) (string, error) {
	var code strings.Builder
	for _, pattern := range patterns {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		if len(paths) == 0 {
			return "", fmt.Errorf("snippets: no file matches %s", pattern)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				return "", err
			}
			code.WriteString("\n\n" + unindented(string(text)))
		}
	}
	return code.String(), nil
}

func unindented(code string) string {
	var text strings.Builder
	for line := range strings.Lines(code) {
		text.WriteString(strings.TrimLeft(line, "\t"))
	}
	return text.String()
}
