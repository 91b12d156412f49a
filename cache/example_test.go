package cache_test

import (
	"context"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"

	"github.com/relaystream/autoconfig/cache"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/stream"
)

// A File replaces what it holds in one step.
func ExampleFile() {
	directory, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(directory)
	var store cache.Store = &cache.File{Path: filepath.Join(directory, "autoconfig.cache")}

	ctx := context.Background()
	for _, data := range []string{"one configuration, sealed", "another one"} {
		if err := store.Save(ctx, []byte(data)); err != nil {
			log.Fatal(err)
		}
	}
	data, err := store.Load(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", data)
	// Output: another one
}

// A shelf is a Store in memory: it holds the configuration of one of several accounts.
type shelf struct {
	data    map[string][]byte
	account string
}

func (s shelf) Load(context.Context) ([]byte, error) {
	data, ok := s.data[s.account]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return data, nil
}

func (s shelf) Save(_ context.Context, data []byte) error {
	s.data[s.account] = data
	return nil
}

// A Store of one's own needs two methods. What a client does with it is this: it saves what its changes lead to, and
// begins the next time with what was saved.
func ExampleStore() {
	store := shelf{data: map[string][]byte{}, account: "main"}
	report := func(e cache.Event) { fmt.Println(e.Kind, "with environments:", e.Environments) }
	const key = "rel-example-key"

	ctx := context.Background()
	configuration := []diff.Change{
		{Kind: diff.EnvironmentAdded, New: &decode.EnvironmentRep{EnvID: "e1", Version: 7}},
		{Kind: diff.Synced},
	}
	snapshot := func() []diff.Change { return configuration }
	err := cache.New(store, report).Save(ctx, stream.FromSlice(configuration), snapshot, func() string { return key })
	if err != nil {
		log.Fatal(err)
	}

	saved := cache.New(store, report).Load(func(context.Context) (string, error) { return key, nil })
	message, err := saved.First(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(message)
	// Output:
	// saved with environments: 1
	// loaded with environments: 1
	// put of 1 environments, 0 filters
}
