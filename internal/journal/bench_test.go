package journal

import (
	"fmt"
	"io"
	"log/slog"
	"testing"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
)

// BenchmarkChange records a patch: for a log that is off, one of level warn, one that keeps up as well as
// it can, and one that is stuck.
func BenchmarkChange(b *testing.B) {
	old := &decode.EnvironmentRep{EnvID: "e1", Version: 1}
	c := diff.Change{Kind: diff.EnvironmentUpdated, Old: old, New: &decode.EnvironmentRep{EnvID: "e1", Version: 2}}
	text := func(level slog.Level) *slog.Logger {
		return slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: level}))
	}
	stuck := newBook()
	stuck.stop()
	defer stuck.goOn()
	for name, log := range map[string]*slog.Logger{
		"off": nil, "warn": text(slog.LevelWarn), "info": text(slog.LevelInfo), "stuck": slog.New(stuck),
	} {
		b.Run(name, func(b *testing.B) {
			j := New(log)
			go j.Run()
			b.ReportAllocs()
			for b.Loop() {
				j.Change(c)
			}
			b.StopTimer()
			j.Close()
		})
	}
}

// BenchmarkAnnounce finds the keys of one environment that were not known to expire.
func BenchmarkAnnounce(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			before, after := manyKeys(n, 1), manyKeys(n, 2)
			for b.Loop() {
				if len(announced(before, after)) != n {
					b.Fatal("not all keys")
				}
			}
		})
	}
}

// manyKeys returns an environment with n keys that all expire in one second.
func manyKeys(n int, second int64) *decode.EnvironmentRep {
	at := second * 1000
	e := &decode.EnvironmentRep{EnvID: "e1"}
	for i := range n {
		key := decode.SDKKey(fmt.Sprintf("sdk-key-number-%d", i))
		e.SDKKeys = append(e.SDKKeys, decode.ConcurrentKeyRep[decode.SDKKey]{Value: key, Expiry: &at})
	}
	return e
}
