package autoconfig_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

func entryOf(id autoconfig.EnvironmentID, version int) decode.EnvironmentEntry {
	e := testkit.Environment(id, version)
	return decode.EnvironmentEntry{ID: id, Version: version, Rep: &e}
}

func putOf(entries ...decode.EnvironmentEntry) decode.Message {
	return decode.Message{Kind: decode.Put, Put: &decode.Listing{Environments: entries}}
}

func patchOf(id autoconfig.EnvironmentID, version int) decode.Message {
	return decode.Message{Kind: decode.Patch, Environment: entryOf(id, version)}
}

// A fed source passes on what is sent on its channel. An error that is sent ends the subscription; nil completes it.
type fed chan any

func (f fed) source(ctx context.Context, yield func(decode.Message) bool) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case v := <-f:
			m, ok := v.(decode.Message)
			if !ok {
				err, _ := v.(error)
				return err
			}
			if !yield(m) {
				return nil
			}
		}
	}
}

// withSource runs f in virtual time with a client of a fed source. Its key is empty.
func withSource(t *testing.T, o autoconfig.Options, f func(t *testing.T, c *autoconfig.Client, s fed)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := make(fed)
		o.Source, o.Logger = s.source, testkit.Censored(t)
		c, err := autoconfig.Open(t.Context(), "", &o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		synctest.Wait()
		f(t, c, s)
	})
}

// TestSourceIsAConnection checks that one subscription is a connection to the status, the statistics and the probes,
// that each change reaches the subscribers without any time passing, and that the next subscription continues.
func TestSourceIsAConnection(t *testing.T) {
	withSource(t, autoconfig.Options{}, func(t *testing.T, c *autoconfig.Client, s fed) {
		changes, messages, events := testkit.Watch(c.Changes()), testkit.Watch(c.Messages()), testkit.Watch(c.Events())
		want := func(what string, state autoconfig.State, attempts, connections uint64, lines ...string) {
			t.Helper()
			synctest.Wait()
			testkit.Expect(t, what, testkit.Describe(changes.Take()), lines...)
			stats := c.Stats()
			if stats.Status.State != state || stats.Attempts != attempts || stats.Connections != connections {
				t.Errorf("%s: %v, %d attempts, %d connections", what, stats.Status.State, stats.Attempts, stats.Connections)
			}
		}
		want("subscribed", autoconfig.Initializing, 1, 0)
		s <- patchOf("a", 1)
		want("the first message", autoconfig.Initializing, 1, 1, "environment added: a (Project Env a) version 1")
		if err := c.Readiness(); err == nil {
			t.Error("ready before the configuration is complete")
		}
		s <- decode.Message{Kind: decode.Complete}
		want("complete", autoconfig.Valid, 1, 1, "synced")
		if err := errors.Join(c.Readiness(), c.Liveness(0), c.Ready(t.Context())); err != nil {
			t.Error(err)
		}
		time.Sleep(24 * time.Hour)
		if err := c.Liveness(0); err != nil {
			t.Errorf("a source that has nothing to say: %v", err)
		}
		s <- decode.Message{Kind: decode.Omit, Environment: decode.EnvironmentEntry{ID: "a"}}
		want("omitted", autoconfig.Valid, 1, 1, "environment deleted: a (Project Env a) version 1")
		if stats := c.Stats(); !stats.LastRead.Equal(time.Now()) || !stats.LastChange.Equal(time.Now()) || stats.Bytes != 0 || stats.Events != 0 {
			t.Errorf("%+v", stats)
		}
		failure := errors.New("no network")
		s <- failure
		want("failed", autoconfig.Interrupted, 1, 1)
		if status := c.Stats().Status; !errors.Is(status.Err, failure) || !status.NextAttempt.After(time.Now()) {
			t.Errorf("%+v", status)
		}
		s <- putOf(entryOf("a", 1), entryOf("b", 1)) // waits for the next subscription
		want("the next subscription", autoconfig.Valid, 2, 2,
			"environment added: a (Project Env a) version 1", "environment added: b (Project Env b) version 1", "synced")
		if n := len(messages.Stop()); n != 4 {
			t.Errorf("%d messages", n)
		}
		if n := len(events.Stop()); n != 0 {
			t.Errorf("%d events", n)
		}
		changes.Stop()
	})
}

// TestSourceIsRetried checks that every end of a subscription is followed by another one, on the schedule of
// reconnection, and is counted by its reason.
func TestSourceIsRetried(t *testing.T) {
	failure := errors.New("no network")
	for name, test := range map[string]struct {
		end   any // nil completes
		count func(autoconfig.Stats) uint64
		match error
	}{
		"fails":                  {failure, func(s autoconfig.Stats) uint64 { return s.Failed }, failure},
		"fails with a deadline":  {context.DeadlineExceeded, func(s autoconfig.Stats) uint64 { return s.Failed }, context.DeadlineExceeded},
		"completes":              {nil, func(s autoconfig.Stats) uint64 { return s.Ended }, sse.ErrEndOfStream},
		"is malformed":           {&decode.MalformedError{Err: failure}, func(s autoconfig.Stats) uint64 { return s.Malformed }, failure},
		"asks for another first": {decode.ErrReconnect, func(s autoconfig.Stats) uint64 { return s.ReconnectRequests }, decode.ErrReconnect},
	} {
		t.Run(name, func(t *testing.T) {
			withSource(t, autoconfig.Options{}, func(t *testing.T, c *autoconfig.Client, s fed) {
				for i := range 20 {
					before := time.Now()
					s <- test.end
					longest := min(time.Second<<i, 60*time.Second) / 2
					if i == 0 { // the first subscription
						longest = 0
					}
					if waited := time.Since(before); waited < longest/2 || waited > longest {
						t.Errorf("subscription %d came after %v, want %v to %v", i+1, waited, longest/2, longest)
					}
				}
				synctest.Wait()
				if stats := c.Stats(); test.count(stats) != 20 || stats.Attempts != 20 || stats.Connections != 0 || !errors.Is(stats.Status.Err, test.match) {
					t.Errorf("%+v", stats)
				}
				time.Sleep(time.Minute)
				s <- putOf() // from now on it is open
				time.Sleep(time.Minute)
				s <- test.end
				before := time.Now()
				s <- patchOf("a", 1)
				if waited := time.Since(before); waited > time.Second {
					t.Errorf("after a minute of connection the next one came after %v", waited)
				}
			})
		})
	}
}

// TestSourceEndsTheStream checks what is not retried: a permanent error, a key that is rejected where that is fatal, and
// runtime.Goexit, which leaves nobody waiting.
func TestSourceEndsTheStream(t *testing.T) {
	failure := errors.New("no such bucket")
	rejected := &sse.StatusError{Code: http.StatusUnauthorized}
	for name, test := range map[string]struct {
		source stream.Observable[decode.Message]
		match  error
	}{
		"permanent": {stream.Fail[decode.Message](fmt.Errorf("wrapped: %w", backoff.Permanent(failure))), failure},
		"rejected":  {stream.Fail[decode.Message](rejected), autoconfig.ErrKeyRejected},
		"Goexit": {func(context.Context, func(decode.Message) bool) error {
			runtime.Goexit()
			return nil
		}, nil},
		"Goexit later": {func(_ context.Context, yield func(decode.Message) bool) error {
			yield(patchOf("a", 1))
			runtime.Goexit()
			return nil
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log testkit.Logbook
				o := &autoconfig.Options{Source: test.source, StopOnRejectedKey: true, Logger: testkit.Censored(t), Cache: &autoconfig.FileCache{Path: t.TempDir() + "/cache"}}
				client := testkit.Open(t, o)
				manager := autoconfig.NewStreamManagerWithOptions(testkit.Key, recorder{func(string) {}}, o)
				o.Cache = nil
				o.Logger = log.Logger()
				if err := <-manager.Start(); name != "Goexit later" && (err == nil || test.match != nil && !errors.Is(err, test.match)) {
					t.Errorf("Start: %v", err)
				}
				<-manager.Done()
				_, observed := autoconfig.Observe("", o).Count(t.Context())
				for what, err := range map[string]error{"Ready": client.Ready(t.Context()), "Err": manager.Err(), "Observe": observed} {
					if err == nil || errors.Is(err, autoconfig.ErrClosed) || test.match != nil && !errors.Is(err, test.match) {
						t.Errorf("%s: %v", what, err)
					}
				}
				if state := client.Stats().Status.State; state != autoconfig.Off {
					t.Error(state)
				}
				if !slices.ContainsFunc(log.Take(), func(r slog.Record) bool { return r.Level == slog.LevelError }) {
					t.Error("it is not logged at level error")
				}
				manager.Close()
				client.Close()
			})
		})
	}
}

// TestSourceWaitsForSubscribers checks that a lossless subscriber holds up the source itself, that the liveness probe
// tells, and that nothing is lost.
func TestSourceWaitsForSubscribers(t *testing.T) {
	withSource(t, autoconfig.Options{}, func(t *testing.T, c *autoconfig.Client, s fed) {
		s <- putOf()
		resume := make(chan struct{})
		var got []int
		subscribed := testkit.Watch(func(ctx context.Context, yield func(int) bool) error {
			return c.ChangesUnder(stream.Block[autoconfig.Change](1))(ctx, func(change autoconfig.Change) bool {
				<-resume
				if change.New != nil {
					got = append(got, change.New.Version)
				}
				return yield(0)
			})
		})
		synctest.Wait()
		version := 0
		for taken := true; taken; {
			synctest.Wait()
			select {
			case s <- patchOf("a", version+1):
				version++
			default:
				taken = false
			}
		}
		if version == 0 || version > 10 {
			t.Errorf("%d messages were taken before the source had to wait", version)
		}
		time.Sleep(time.Minute)
		stalled := (*autoconfig.HealthError)(nil)
		if err := c.Liveness(time.Minute - time.Second); !errors.As(err, &stalled) || stalled.Problem != autoconfig.Stalled {
			t.Error(err)
		}
		close(resume)
		s <- patchOf("a", version+1)
		synctest.Wait()
		subscribed.Stop()
		for i, v := range got {
			if v != i+1 || len(got) != version+1 {
				t.Fatalf("%v of %d", got, version+1)
			}
		}
		if err := c.Liveness(0); err != nil {
			t.Error(err)
		}
	})
}

// TestCloseOfASource closes a client and a manager whose source is in each of its phases. Close takes no time, and the
// subscription has ended when it returns. The bubble ends only when all goroutines have.
func TestCloseOfASource(t *testing.T) {
	wait := func(ctx context.Context) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	yielding := func(end func(context.Context) error, messages ...decode.Message) stream.Observable[decode.Message] {
		return func(ctx context.Context, yield func(decode.Message) bool) error {
			for _, m := range messages {
				if !yield(m) {
					return nil
				}
			}
			return end(ctx)
		}
	}
	for name, source := range map[string]stream.Observable[decode.Message]{
		"before its first message": yielding(wait),
		"after a patch":            yielding(wait, patchOf("a", 1)),
		"after a put":              yielding(wait, putOf(entryOf("a", 1))),
		"waiting to retry":         yielding(func(context.Context) error { return errors.New("no network") }),
		"completed":                yielding(func(context.Context) error { return nil }, putOf()),
		"completing when it ends":  yielding(func(ctx context.Context) error { _ = wait(ctx); return nil }, putOf()),
		"never silent": func(ctx context.Context, yield func(decode.Message) bool) error {
			for version := 1; yield(patchOf("a", version)); version++ {
				select {
				case <-ctx.Done():
				case <-time.After(time.Millisecond):
				}
			}
			return nil
		},
	} {
		for who, start := range map[string]func(*testing.T, *autoconfig.Options) (closer func()){
			"client": func(t *testing.T, o *autoconfig.Options) func() { return testkit.Open(t, o).Close },
			"manager": func(t *testing.T, o *autoconfig.Options) func() {
				m := autoconfig.NewStreamManagerWithOptions(testkit.Key, recorder{func(string) {}}, o)
				m.Start()
				return m.Close
			},
		} {
			t.Run(who+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					running := false
					o := &autoconfig.Options{Logger: testkit.Censored(t), Source: stream.Finally(func(ctx context.Context, yield func(decode.Message) bool) error {
						running = true
						return source(ctx, yield)
					}, func(error) { running = false })}
					closeIt := start(t, o)
					time.Sleep(100 * time.Millisecond)
					synctest.Wait()
					before := time.Now()
					closeIt()
					if waited := time.Since(before); waited != 0 || running {
						t.Errorf("Close took %v; the source runs: %t", waited, running)
					}
				})
			})
		}
	}
}

// TestCloseWaitsForTheSource as its documentation says: for one that ignores its context.
func TestCloseWaitsForTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &autoconfig.Options{Source: func(context.Context, func(decode.Message) bool) error {
			time.Sleep(time.Hour)
			return nil
		}}
		client := testkit.Open(t, o)
		synctest.Wait()
		before := time.Now()
		client.Close()
		if waited := time.Since(before); waited != time.Hour {
			t.Errorf("Close took %v", waited)
		}
	})
}

// TestOptionsOfHTTPAreWrongBesideASource names them all: any other option may be set.
func TestOptionsOfHTTPAreWrongBesideASource(t *testing.T) {
	ofHTTP := []string{"BaseURI", "ProtocolVersion", "HTTPClient", "UserAgent", "AllowPlainHTTP", "ConnectTimeout", "IdleTimeout", "MaxEventSize", "MaxEnvironments", "MaxRedirects"}
	options := reflect.TypeFor[autoconfig.Options]()
	for i := range options.NumField() {
		var o autoconfig.Options
		name, field := options.Field(i).Name, reflect.ValueOf(&o).Elem().Field(i)
		switch field.Kind() {
		case reflect.String:
			field.SetString("https://example.com")
		case reflect.Bool:
			field.SetBool(true)
		case reflect.Int, reflect.Int64:
			field.SetInt(1)
		case reflect.Pointer:
			field.Set(reflect.New(field.Type().Elem()))
		case reflect.Func, reflect.Interface:
			o.Cache = &autoconfig.FileCache{Path: t.TempDir() + "/cache"}
		default:
			t.Fatalf("%s is a %v", name, field.Kind())
		}
		o.Source, o.Logger = stream.Never[decode.Message](), testkit.Censored(t)
		client, err := autoconfig.Open(t.Context(), testkit.Key, &o)
		if err == nil {
			client.Close()
		}
		wrong := (*autoconfig.OptionError)(nil)
		if isWrong := errors.As(err, &wrong) && wrong.Option == name; isWrong != slices.Contains(ofHTTP, name) || !isWrong && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeyOfASource checks when a source needs a key, and which: none without a Cache.
func TestKeyOfASource(t *testing.T) {
	asked := 0
	provider := func(context.Context) (autoconfig.AutoConfigKey, error) {
		asked++
		return testkit.Key, nil
	}
	cache := &autoconfig.FileCache{Path: t.TempDir() + "/cache"}
	for _, test := range []struct {
		name  string
		key   autoconfig.AutoConfigKey
		o     autoconfig.Options
		err   error
		asked int
	}{
		{"empty", "", autoconfig.Options{}, nil, 0},
		{"not needed", testkit.Key, autoconfig.Options{}, nil, 0},
		{"invalid", "rel 1", autoconfig.Options{}, autoconfig.ErrInvalidKey, 0},
		{"a provider that is not needed", "", autoconfig.Options{Key: provider}, nil, 0},
		{"empty, for a cache", "", autoconfig.Options{Cache: cache}, autoconfig.ErrInvalidKey, 0},
		{"for a cache", testkit.Key, autoconfig.Options{Cache: cache}, nil, 0},
		{"a provider for a cache", "", autoconfig.Options{Cache: cache, Key: provider}, nil, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			asked = 0
			test.o.Source, test.o.Logger = stream.Never[decode.Message](), testkit.Censored(t)
			client, err := autoconfig.Open(t.Context(), test.key, &test.o)
			if err == nil {
				synctest.Wait()
				client.Close()
			}
			if err != test.err || asked != test.asked {
				t.Errorf("%s: %v, and the provider was called %d times", test.name, err, asked)
			}
		})
	}
}

// TestCacheOfASource checks that what a source says is saved under the key, also if it never sends a put, and that the
// next client starts with it until its source says something.
func TestCacheOfASource(t *testing.T) {
	for name, first := range map[string][]decode.Message{
		"put":      {putOf(entryOf("a", 1), entryOf("b", 1))},
		"complete": {patchOf("a", 1), patchOf("b", 1), {Kind: decode.Complete}},
	} {
		t.Run(name, func(t *testing.T) {
			cache := &autoconfig.FileCache{Path: t.TempDir() + "/cache"}
			o := &autoconfig.Options{Cache: cache, Source: stream.Concat(stream.FromSlice(first), stream.Never[decode.Message]())}
			client := testkit.Open(t, o)
			if err := client.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := client.CloseContext(t.Context()); err != nil {
				t.Fatal(err)
			}
			s := make(fed)
			o.Source = s.source
			client = testkit.Open(t, o)
			changes := testkit.Watch(client.Changes())
			testkit.Expect(t, "saved", testkit.Describe(changes.Await(t, 3)),
				"environment added: a (Project Env a) version 1", "environment added: b (Project Env b) version 1", "synced from cache")
			if stats := client.Stats(); stats.Connections != 0 || !stats.Status.Cached || stats.Status.State != autoconfig.Initializing {
				t.Errorf("%+v", stats)
			}
			s <- putOf(entryOf("a", 2))
			testkit.Expect(t, "live", testkit.Describe(changes.Await(t, 3)),
				"environment updated: a (Project Env a) version 2", "environment deleted: b (Project Env b) version 1", "synced")
			changes.Stop()
		})
	}
}

// TestManagerOfASource checks the channel of Start: nil at the first message, nothing at Close; and that the handler is
// told the rest, filters included.
func TestManagerOfASource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := make(fed)
		var told []string
		o := &autoconfig.Options{Source: s.source, Logger: testkit.Censored(t)}
		m := autoconfig.NewStreamManagerWithOptions("", recorder{func(line string) { told = append(told, line) }}, o)
		ready := m.Start()
		synctest.Wait()
		if len(ready) != 0 {
			t.Error("Start tells before the first message")
		}
		s <- decode.Message{Kind: decode.Patch, Filter: decode.FilterEntry{ID: "f", Version: 1, Rep: &decode.FilterRep{ProjKey: "p", FilterKey: "k", Version: 1}}}
		if err := <-ready; err != nil {
			t.Error(err)
		}
		s <- patchOf("a", 1)
		s <- decode.Message{Kind: decode.Complete}
		s <- decode.Message{Kind: decode.Omit, Environment: decode.EnvironmentEntry{ID: "a"}}
		synctest.Wait()
		testkit.Expect(t, "told", told, "filter added f p/k", "added a Env a in Project (proj/a-key) sdk=sdk-a mob=mob-a", "synced", "deleted a")
		m.Close()
		if len(ready) != 0 || !errors.Is(m.Err(), autoconfig.ErrClosed) {
			t.Errorf("after Close: %d values, %v", len(ready), m.Err())
		}
	})
}

// TestCloseOfAManagerThatSaves checks what Close and CloseContext wait for, also within the handler: a save that
// is stuck, until CloseTimeout or the context ends.
func TestCloseOfAManagerThatSaves(t *testing.T) {
	for _, within := range []bool{false, true} {
		for want, limit := range map[time.Duration]time.Duration{autoconfig.DefaultCloseTimeout: time.Hour, time.Second: time.Second} {
			synctest.Test(t, func(t *testing.T) {
				var m *autoconfig.StreamManager
				closeIt := func() {
					ctx, cancel := context.WithTimeoutCause(context.Background(), limit, errTooLong)
					defer cancel()
					before := time.Now()
					err := m.CloseContext(ctx)
					if took := time.Since(before); took != want || (err == errTooLong) != (want == limit) {
						t.Errorf("within the handler %t: %v after %v, want %v", within, err, took, want)
					}
				}
				told := make(chan struct{})
				s := make(fed)
				o := &autoconfig.Options{Source: s.source, Logger: testkit.Censored(t), Cache: &memoryCache{onSave: patient}}
				m = autoconfig.NewStreamManagerWithOptions(testkit.Key, recorder{func(string) {
					if within {
						closeIt()
					}
					close(told)
				}}, o)
				m.Start()
				s <- putOf()
				<-told
				if !within {
					closeIt()
				}
				m.Close()
				if !errors.Is(m.Err(), autoconfig.ErrClosed) {
					t.Error(m.Err())
				}
			})
		}
	}
}

// TestManagerWithOptionsIsAManager checks that without a source it connects as NewStreamManager does: it asks for
// filters if its handler takes them, and retries a response with status 204.
func TestManagerWithOptionsIsAManager(t *testing.T) {
	plain := struct{ autoconfig.MessageHandler }{recorder{func(string) {}}}
	for version, handler := range map[string]autoconfig.MessageHandler{"": plain, "2": recorder{func(string) {}}} {
		testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
			srv.Put(testkit.Listing())
			srv.Next(autoconfigtest.Status(http.StatusNoContent))
			o := testkit.To(srv)
			m := autoconfig.NewStreamManagerWithOptions(testkit.Key, handler, o)
			o.BaseURI = "changed afterwards"
			if err := <-m.Start(); err != nil {
				t.Error(err)
			}
			m.Close()
			for _, r := range srv.Requests() {
				if got := r.Query.Get("rpacProtocolVersion"); got != version {
					t.Errorf("version %q is asked for, want %q", got, version)
				}
			}
		})
	}
	wrong := (*autoconfig.OptionError)(nil)
	m := autoconfig.NewStreamManagerWithOptions(testkit.Key, plain, &autoconfig.Options{Lag: -1, Logger: testkit.Censored(t)})
	if err := <-m.Start(); !errors.As(err, &wrong) || wrong.Option != "Lag" {
		t.Errorf("Start: %v", err)
	}
	m = autoconfig.NewStreamManagerWithOptions("", plain, nil)
	if err := <-m.Start(); err != autoconfig.ErrInvalidKey {
		t.Errorf("Start: %v", err)
	}
}
