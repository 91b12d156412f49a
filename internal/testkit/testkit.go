// Package testkit has what the tests of several packages share: a server's content, clients, watchers, a
// mirror of a configuration, and a network that breaks.
package testkit

import (
	"bytes"
	"context"
	"encoding/json"
	"log"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/stream"
)

// Key is the auto-configuration key of all tests.
const Key = "rel-test-0000-1234"

// environment returns an environment with keys of its own.
func Environment(id autoconfig.EnvironmentID, version int) autoconfig.EnvironmentRep {
	e := autoconfig.EnvironmentRep{
		EnvID: id, EnvKey: string(id) + "-key", EnvName: "Env " + string(id), ProjKey: "proj", ProjName: "Project",
		MobKey: autoconfig.MobileKey("mob-" + id), Version: version,
	}
	e.SDKKey.Value = autoconfig.SDKKey("sdk-" + id)
	return e
}

// listing is what a server serves that has these environments.
func Listing(environments ...autoconfig.EnvironmentRep) autoconfig.PutContent {
	c := autoconfig.PutContent{Environments: map[autoconfig.EnvironmentID]autoconfig.EnvironmentRep{}}
	for _, e := range environments {
		c.Environments[e.EnvID] = e
	}
	return c
}

// jsonOf returns v as it is on the wire.
func JSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// to returns options for a client of the server.
func To(s *autoconfigtest.Server) *autoconfig.Options {
	return &autoconfig.Options{BaseURI: s.URL, HTTPClient: s.Client()}
}

// A censor reads what is logged, by all tests that bring no logger of their own, at the level debug. It
// fails the test if there is a key in it: those of tests begin with sdk- or mob-, but for testKey.
type censor struct{ t testing.TB }

func (c censor) Write(line []byte) (int, error) {
	for _, secret := range []string{Key, "sdk-", "mob-"} {
		if bytes.Contains(line, []byte(secret)) {
			c.t.Errorf("a key is logged: %s", line)
		}
	}
	return len(line), nil
}

func Censored(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(censor{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func CensoredLoggers(t testing.TB) (loggers ldlog.Loggers) {
	loggers.SetBaseLogger(log.New(censor{t}, "", 0))
	loggers.SetMinLevel(ldlog.Debug)
	return loggers
}

// open returns a client that is closed at the end of the test or bubble.
func Open(t testing.TB, options *autoconfig.Options) *autoconfig.Client {
	t.Helper()
	o := *options
	if o.Logger == nil {
		o.Logger = Censored(t)
	}
	c, err := autoconfig.Open(context.Background(), Key, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// inBubble runs f in virtual time with a server in memory.
func InBubble(t *testing.T, f func(t *testing.T, srv *autoconfigtest.Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv := autoconfigtest.NewPipeServer(Key)
		t.Cleanup(srv.Close)
		f(t, srv)
	})
}

// pass lets virtual time pass, and then everybody do what the time has come for.
func Pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// A watcher subscribes on a goroutine of its own and keeps what it gets.
type Watcher[T any] struct {
	Cancel context.CancelFunc
	Done   chan struct{} // closed when the observable has returned
	err    error         // what it returned, once done is closed

	mu     sync.Mutex
	values []T
	more   chan struct{} // gets a token when there are more values
}

func Watch[T any](o stream.Observable[T]) *Watcher[T] {
	ctx, cancel := context.WithCancel(context.Background())
	w := &Watcher[T]{Cancel: cancel, Done: make(chan struct{}), more: make(chan struct{}, 1)}
	go func() {
		defer close(w.Done)
		w.err = o(ctx, func(v T) bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.values = append(w.values, v)
			select {
			case w.more <- struct{}{}:
			default:
			}
			return true
		})
	}()
	return w
}

// take returns what has come since the last call. In a bubble that is all there is to come, until
// time passes.
func (w *Watcher[T]) Take() []T {
	if InVirtualTime() {
		synctest.Wait()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	values := w.values
	w.values = nil
	return values
}

// await returns the next n values, in real time.
func (w *Watcher[T]) Await(t testing.TB, n int) []T {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		w.mu.Lock()
		if len(w.values) >= n {
			values := w.values[:n:n]
			w.values = w.values[n:]
			w.mu.Unlock()
			return values
		}
		got := w.values
		w.mu.Unlock()
		select {
		case <-w.more:
		case <-w.Done:
			w.mu.Lock()
			complete := len(w.values) >= n
			w.mu.Unlock()
			if !complete {
				t.Fatalf("it ended with %v after %v; want %d values", w.err, got, n)
			}
		case <-timeout:
			t.Fatalf("got only %v in 20 s; want %d values", got, n)
		}
	}
}

// end waits until the observable has returned, and returns its error.
func (w *Watcher[T]) End() error {
	<-w.Done
	return w.err
}

// stop ends the subscription and returns what had come since the last call of take.
func (w *Watcher[T]) Stop() []T {
	w.Cancel()
	<-w.Done
	return w.values
}

// inVirtualTime tells whether it is called in a bubble, where clocks start in the year 2000.
func InVirtualTime() bool { return time.Now().Year() < 2020 }

// A logbook is a slog.Handler that keeps the records.
type Logbook struct {
	mu      sync.Mutex
	records []slog.Record
}

func (b *Logbook) Logger() *slog.Logger { return slog.New(b) }

func (b *Logbook) Enabled(context.Context, slog.Level) bool { return true }

func (b *Logbook) Handle(_ context.Context, r slog.Record) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.records = append(b.records, r)
	return nil
}

func (b *Logbook) WithAttrs([]slog.Attr) slog.Handler { panic("not used by this library") }
func (b *Logbook) WithGroup(string) slog.Handler      { panic("not used by this library") }

// take returns the records since the last call.
func (b *Logbook) Take() []slog.Record {
	b.mu.Lock()
	defer b.mu.Unlock()
	records := b.records
	b.records = nil
	return records
}

// attr returns an attribute of a record, nil if there is none of that name.
func Attr(r slog.Record, name string) (value any) {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == name {
			value = a.Value.Any()
		}
		return value == nil
	})
	return value
}

// describe returns changes as lines.
func Describe(changes []autoconfig.Change) []string {
	var lines []string
	for _, c := range changes {
		lines = append(lines, c.String())
	}
	return lines
}

// expect compares the lines.
func Expect(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}
