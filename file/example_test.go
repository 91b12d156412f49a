package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/file"
)

func ExampleSource() {
	directory, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(directory)
	path := filepath.Join(directory, "config.json")
	save := func(content string) {
		// Renaming replaces the file in one step: nobody reads a part of it.
		if os.WriteFile(path+".new", []byte(content), 0o600) != nil || os.Rename(path+".new", path) != nil {
			panic("not saved")
		}
	}
	save(`{"environments":{"e1":{"envID":"e1","projName":"Shop","envName":"Test","version":1}}}`)

	changes := diff.Changes(file.Source(path, nil), nil)
	for change, err := range changes.All(context.Background()) {
		if err != nil {
			panic(err)
		}
		fmt.Println(change)
		switch change.Kind {
		case diff.Synced:
			save(`{"environments":{"e1":{"envID":"e1","projName":"Shop","envName":"Staging","version":2}}}`)
		case diff.EnvironmentUpdated:
			return
		}
	}
	// Output:
	// environment added: e1 (Shop Test) version 1
	// synced
	// environment updated: e1 (Shop Staging) version 2
}
