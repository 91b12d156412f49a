package cache

import (
	"context"
	"fmt"
	"testing"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/internal/snapshot"
)

// BenchmarkCache has the cost of a save and a load of 10,000 environments, step by step.
func BenchmarkCache(b *testing.B) {
	changes := manyChanges(10_000)
	text, err := snapshot.Encode(b.Context(), changes)
	if err != nil {
		b.Fatal(err)
	}
	data := sealed(b, testKey, text)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		ctx, cancel := context.WithCancel(b.Context())
		defer cancel()
		for b.Loop() {
			_, _ = snapshot.Encode(ctx, changes)
		}
	})
	b.Run("seal", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			_, _ = sealSnapshot(testKey, text)
		}
	})
	b.Run("write", func(b *testing.B) {
		f := &File{Path: b.TempDir() + "/cache"}
		for b.Loop() {
			if err := f.Save(b.Context(), data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("unseal", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			_, _ = unsealSnapshot(testKey, data)
		}
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			_, _ = snapshot.Decode(b.Context(), text)
		}
	})
}

// BenchmarkNote has what a change costs while saving pauses.
func BenchmarkNote(b *testing.B) {
	s := &saver{wake: make(chan struct{}, 1)}
	for b.Loop() {
		s.note()
	}
}

func manyChanges(n int) []diff.Change {
	var environments []*decode.EnvironmentRep
	for i := range n {
		id := fmt.Sprintf("%024x", i)
		e := environment(decode.EnvironmentID(id), i)
		e.EnvKey, e.EnvName = fmt.Sprint("env-", i%20), fmt.Sprint("Environment ", i%20)
		e.ProjKey, e.ProjName = fmt.Sprint("project-", i/20), fmt.Sprint("Project ", i/20)
		environments = append(environments, e)
	}
	return state(environments...)
}
