package main

import (
	"bytes"
	"context"

	"github.com/relaystream/autoconfig/bench/parts"
	"github.com/relaystream/autoconfig/bench/synth"
)

// inMemory is the number of patches in memory for measurements without a connection. They are reused, so
// the heap stays small, but they are too many for the caches of the processor.
const inMemory = 20_000

func framing() scenario {
	return scenario{
		name: "framing", about: "separating the events of patches, from memory",
		metrics:  []string{"ns/event", "allocs/event", "B/event"},
		baseline: "eventsource", cases: one,
		open: func(_ int, l load) (*field, error) {
			whole, _ := patchesInMemory(l.size)
			f := &field{close: func() {}}
			for _, framing := range parts.Framings() {
				f.trials = append(f.trials, repeated(framing.Name, framing.About, l.size, func() error {
					_, err := framing.Run(bytes.NewReader(whole))
					return err
				}))
			}
			return f, nil
		},
	}
}

func decoding() scenario {
	return scenario{
		name: "decode", about: "decoding the JSON of patches, from memory", metrics: perPatch,
		baseline: "encoding/json", cases: one,
		open: func(_ int, l load) (*field, error) {
			_, data := patchesInMemory(l.size)
			f := &field{close: func() {}}
			for _, decoding := range parts.Decodings() {
				f.trials = append(f.trials, repeated(decoding.Name, decoding.About, l.size, func() error {
					_, err := decoding.Run(data)
					return err
				}))
			}
			return f, nil
		},
	}
}

func table() scenario {
	return scenario{
		name: "table", about: "applying decoded patches to 1,000 environments", metrics: perPatch,
		baseline: "map", cases: one,
		open: func(_ int, l load) (*field, error) {
			_, data := patchesInMemory(l.size)
			messages, err := parts.Decoded(data)
			f := &field{close: func() {}}
			for _, table := range parts.Tables() {
				f.trials = append(f.trials, repeated(table.Name, table.About, l.size, func() error {
					table.Run(messages)
					return nil
				}))
			}
			return f, err
		},
	}
}

// patchesInMemory returns patches, as a stream and as the data of each.
func patchesInMemory(size int) (whole []byte, data [][]byte) {
	s := synth.New(synth.Default())
	s.Put()
	for block := range s.Blocks(min(size, inMemory)) {
		start := len(whole)
		whole = append(whole, block...)
		from := start + bytes.Index(block, []byte("data: ")) + len("data: ")
		data = append(data, whole[from:len(whole)-len("\n\n")])
	}
	return whole, data
}

// repeated calls once, for all patches in memory, until size patches are done.
func repeated(peer, about string, size int, once func() error) trial {
	passes := max(1, size/inMemory)
	return trial{peer: peer, about: about, run: func(context.Context) (sample, error) {
		return timed(passes*min(size, inMemory), func() error {
			for range passes {
				if err := once(); err != nil {
					return err
				}
			}
			return nil
		})
	}}
}

func operators() scenario {
	return scenario{
		name: "operators", about: "Map, Filter, Map, Filter, Scan", metrics: []string{"ns/item", "allocs/item", "B/item"},
		baseline: "rxgo", cases: one,
		open: func(_ int, l load) (*field, error) {
			f := &field{close: func() {}}
			n := int64(5 * l.size)
			for _, pipeline := range parts.Pipelines() {
				f.trials = append(f.trials, trial{peer: pipeline.Name, about: pipeline.About, run: func(context.Context) (sample, error) {
					return timed(int(n), func() error {
						_, err := pipeline.Run(n)
						return err
					})
				}})
			}
			return f, nil
		},
	}
}
