package clients

import (
	"os"
	"strings"
	"testing"
)

// TestTable tries each client in each situation, and compares with the table that the README of package sse has.
func TestTable(t *testing.T) {
	text, err := os.ReadFile("../../stream/sse/README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string][]string)
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | "); len(cells) == 1+len(all()) {
			rows[strings.TrimSpace(cells[0])] = cells[1:]
		}
	}
	for _, s := range situations() {
		t.Run(s.name, func(t *testing.T) {
			var found []string
			documented := strings.Fields(strings.Join(rows[s.name], " "))
			for i, c := range all() {
				expected := i < len(documented) && documented[i] == "yes"
				found = append(found, map[bool]string{true: "yes", false: "no"}[s.try(c, patience(expected))])
			}
			if strings.Join(found, " ") != strings.Join(documented, " ") {
				t.Errorf("found\n| %s | %s |\nthe README has %q", s.name, strings.Join(found, " | "), documented)
			}
		})
	}
}
