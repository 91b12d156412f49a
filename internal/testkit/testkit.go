// Package testkit contains what the tests of several packages share: configurations, clients, watchers,
// mirrors of a configuration, a log, and a network that breaks.
package testkit

import (
	"bytes"
	"context"
	"encoding/json"
	"log"
	"log/slog"
	"runtime/debug"
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

// Environment returns an environment whose names and keys are made of its ID.
func Environment(id autoconfig.EnvironmentID, version int) autoconfig.EnvironmentRep {
	e := autoconfig.EnvironmentRep{
		EnvID: id, EnvKey: string(id) + "-key", EnvName: "Env " + string(id), ProjKey: "proj", ProjName: "Project",
		MobKey: autoconfig.MobileKey("mob-" + id), Version: version,
	}
	e.SDKKey.Value = autoconfig.SDKKey("sdk-" + id)
	return e
}

// Listing returns the content of a server with these environments.
func Listing(environments ...autoconfig.EnvironmentRep) autoconfig.PutContent {
	c := autoconfig.PutContent{Environments: map[autoconfig.EnvironmentID]autoconfig.EnvironmentRep{}}
	for _, e := range environments {
		c.Environments[e.EnvID] = e
	}
	return c
}

// JSON returns v encoded as on the wire. It panics if v cannot be encoded.
func JSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// To returns options for a client of the server.
func To(s *autoconfigtest.Server) *autoconfig.Options {
	return &autoconfig.Options{BaseURI: s.URL, HTTPClient: s.Client()}
}

// A censor reads the log of every test that has no logger of its own, at level debug. It fails the test if
// the log shows a key: Key, or one that begins with sdk- or mob-, as all keys of tests do.
type censor struct{ t testing.TB }

func (c censor) Write(line []byte) (int, error) {
	for _, secret := range []string{Key, "sdk-", "mob-"} {
		if bytes.Contains(line, []byte(secret)) {
			c.t.Errorf("a key is logged: %s", line)
		}
	}
	return len(line), nil
}

// Censored returns a logger that fails the test if it is given a key.
func Censored(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(censor{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// CensoredLoggers is Censored for ldlog.
func CensoredLoggers(t testing.TB) (loggers ldlog.Loggers) {
	loggers.SetBaseLogger(log.New(censor{t}, "", 0))
	loggers.SetMinLevel(ldlog.Debug)
	return loggers
}

// Open returns a client that is closed at the end of the test or bubble. Without a logger of its own it
// has a Censored one.
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

// InBubble runs f in virtual time, with a server in memory that takes Key.
func InBubble(t *testing.T, f func(t *testing.T, srv *autoconfigtest.Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv := autoconfigtest.NewPipeServer(Key)
		t.Cleanup(srv.Close)
		f(t, srv)
	})
}

// Pass lets virtual time pass, and returns when every goroutine of the bubble has done what is due.
func Pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// A Watcher subscribes on a goroutine of its own and keeps the values.
type Watcher[T any] struct {
	Cancel context.CancelFunc // ends the subscription
	Done   chan struct{}      // closed when the observable has returned
	err    error              // what it returned; set before Done is closed

	mu     sync.Mutex
	values []T
	more   chan struct{} // gets a token when there are more values
}

// Watch subscribes to o. A test in a bubble must end the subscription before it returns.
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

// Take returns the values since the last call. In a bubble it first waits until no more can come unless
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

// Await returns the next n values, in real time. It fails the test if they do not come within a minute.
func (w *Watcher[T]) Await(t testing.TB, n int) []T {
	t.Helper()
	timeout := time.After(time.Minute)
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
			t.Fatalf("got only %v in a minute; want %d values", got, n)
		}
	}
}

// End waits until the observable has returned, and returns its error.
func (w *Watcher[T]) End() error {
	<-w.Done
	return w.err
}

// Stop ends the subscription and returns the values since the last call of Take.
func (w *Watcher[T]) Stop() []T {
	w.Cancel()
	<-w.Done
	return w.values
}

// RaceDetected reports whether the race detector is at work, which makes everything take ten times as long.
func RaceDetected() bool {
	info, _ := debug.ReadBuildInfo()
	return info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// InVirtualTime reports whether it is called in a bubble, where clocks start in the year 2000.
func InVirtualTime() bool { return time.Now().Year() < 2020 }

// A Logbook is a slog.Handler that keeps the records.
type Logbook struct {
	mu      sync.Mutex
	records []slog.Record
}

// Logger returns a logger that writes to the book.
func (b *Logbook) Logger() *slog.Logger { return slog.New(b) }

// Enabled implements slog.Handler. Every level is enabled.
func (b *Logbook) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (b *Logbook) Handle(_ context.Context, r slog.Record) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.records = append(b.records, r)
	return nil
}

// WithAttrs panics: this library does not call it.
func (b *Logbook) WithAttrs([]slog.Attr) slog.Handler { panic("not used by this library") }

// WithGroup panics: this library does not call it.
func (b *Logbook) WithGroup(string) slog.Handler { panic("not used by this library") }

// Take returns the records since the last call.
func (b *Logbook) Take() []slog.Record {
	b.mu.Lock()
	defer b.mu.Unlock()
	records := b.records
	b.records = nil
	return records
}

// Attr returns the value of an attribute, nil if the record has none of that name.
func Attr(r slog.Record, name string) (value any) {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == name {
			value = a.Value.Any()
		}
		return value == nil
	})
	return value
}

// Describe returns the String of each change.
func Describe(changes []autoconfig.Change) []string {
	var lines []string
	for _, c := range changes {
		lines = append(lines, c.String())
	}
	return lines
}

// Expect fails the test unless the lines are those wanted; what names them in the message.
func Expect(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}
