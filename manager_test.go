package autoconfig_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/launchdarkly/go-sdk-common/v3/ldlogtest"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/stream/sse"
)

// manage returns a manager that has not been started, and is closed at the end of the test or bubble.
func manage(t *testing.T, srv *autoconfigtest.Server, handler autoconfig.MessageHandler) *autoconfig.StreamManager {
	t.Helper()
	m := autoconfig.NewStreamManager(testKey, srv.URL, handler, httpConfig{srv.Client()}, 0, censoredLoggers(t))
	t.Cleanup(m.Close)
	return m
}

// outcome returns what a channel of Start has got, nil if it is nothing yet.
func outcome(ready <-chan error) *error {
	synctest.Wait()
	select {
	case err := <-ready:
		return &err
	default:
		return nil
	}
}

// TestStartTellsWhenTheHandlerHasBeenTold of the first complete configuration: neither at a response
// nor before or during the last call.
func TestStartTellsWhenTheHandlerHasBeenTold(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Next(autoconfigtest.Status(503))
		told, goOn := "", make(chan struct{})
		m := manage(t, srv, recorder{func(line string) {
			if told = line; line == "synced" {
				<-goOn
			}
		}})
		ready := m.Start()
		expectNot := func(moment string) {
			t.Helper()
			if err := outcome(ready); err != nil {
				t.Errorf("%s: the channel has %v", moment, *err)
			}
		}
		expectNot("refused")
		pass(time.Minute)
		expectNot("connected")
		srv.Put(listing(environment("e1", 1)))
		expectNot("while the handler is told")
		if told != "synced" {
			t.Fatalf("the handler was told %q", told)
		}
		close(goOn)
		if err := outcome(ready); err == nil || *err != nil {
			t.Errorf("got %v, want nil", err)
		}
		if m.Start() != ready {
			t.Error("another Start returns another channel")
		}
		srv.Put(listing())
		pass(time.Hour)
		m.Close()
		expectNot("after the first value")
		if n := srv.Requests(); len(n) < 2 {
			t.Errorf("%d requests", len(n))
		}
	})
}

// TestStartTellsWhatFailed for good, as a value that can be matched.
func TestStartTellsWhatFailed(t *testing.T) {
	rejected := func(code int) func(error) bool {
		return func(err error) bool {
			status := (*sse.StatusError)(nil)
			return errors.As(err, &status) && status.Code == code
		}
	}
	option := func(name string) func(error) bool {
		return func(err error) bool {
			wrong := (*autoconfig.OptionError)(nil)
			return errors.As(err, &wrong) && wrong.Option == name
		}
	}
	closed := func(err error) bool { return err == autoconfig.ErrClosed }
	for _, test := range []struct {
		name  string
		fault autoconfigtest.Fault
		key   autoconfig.AutoConfigKey
		uri   string
		close string
		want  func(error) bool
	}{
		{name: "401", fault: autoconfigtest.Status(401), want: rejected(401)},
		{name: "403", fault: autoconfigtest.Status(403), want: rejected(403)},
		{name: "204", fault: autoconfigtest.Status(204), want: rejected(204)},
		{name: "empty key", key: "-", want: func(err error) bool { return err == autoconfig.ErrInvalidKey }},
		{name: "wrong URI", uri: "stream.example.com", want: option("BaseURI")},
		{name: "plain http", uri: "http://stream.example.com", want: option("BaseURI")},
		{name: "closed before Start", close: "before", want: closed},
		{name: "closed before the configuration", close: "after", want: closed},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				srv.Next(test.fault)
				key, uri := autoconfig.AutoConfigKey(testKey), srv.URL
				if test.key != "" {
					key = test.key[1:]
				}
				if test.uri != "" {
					uri = test.uri
				}
				m := autoconfig.NewStreamManager(key, uri, recorder{}, httpConfig{srv.Client()}, 0, ldlog.NewDisabledLoggers())
				defer m.Close()
				if test.close == "before" {
					m.Close()
				}
				ready := m.Start()
				synctest.Wait()
				if test.close == "after" {
					m.Close()
				}
				if err := outcome(ready); err == nil || !test.want(*err) {
					t.Errorf("got %v", err)
				}
				if m.Start() != ready {
					t.Error("another Start returns another channel")
				}
				<-m.Done()
				if err := m.Err(); err == nil || !test.want(err) {
					t.Errorf("it ended with %v", err)
				}
				pass(24 * time.Hour)
				if n := len(srv.Requests()); n > 1 {
					t.Errorf("%d requests", n)
				}
			})
		})
	}
}

// TestRejectionAfterAGoodStart is logged, and ends the stream, as the program can tell.
func TestRejectionAfterAGoodStart(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(listing())
		srv.Next(nil, autoconfigtest.Status(401))
		log := ldlogtest.NewMockLog()
		m := autoconfig.NewStreamManager(testKey, srv.URL, recorder{func(string) {}}, httpConfig{srv.Client()}, 0, log.Loggers)
		if err := outcome(m.Start()); err == nil || *err != nil {
			t.Fatalf("got %v, want nil", err)
		}
		if err := m.Err(); err != nil {
			t.Errorf("it ended with %v before it did", err)
		}
		srv.EndConnections()
		<-m.Done()
		if err := (*sse.StatusError)(nil); !errors.As(m.Err(), &err) || err.Code != 401 {
			t.Errorf("it ended with %v", m.Err())
		}
		pass(24 * time.Hour)
		if n := len(srv.Requests()); n != 2 {
			t.Errorf("%d requests, want 2", n)
		}
		if got := log.GetOutput(ldlog.Error); len(got) != 1 || !strings.Contains(got[0], "key rejected; giving up") {
			t.Errorf("logged %q", got)
		}
		m.Close()
	})
}

// A configFunc is an HTTPConfig.
type configFunc func() *http.Client

func (f configFunc) Client() *http.Client { return f() }

// TestStartSurvivesItsHTTPConfig, which is asked once, unless it panics, and may even call the manager.
func TestStartSurvivesItsHTTPConfig(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(listing())
		asked := 0
		m := autoconfig.NewStreamManager(testKey, srv.URL, recorder{func(string) {}}, configFunc(func() *http.Client {
			if asked++; asked == 1 {
				panic("no certificate")
			}
			return srv.Client()
		}), 0, ldlog.NewDisabledLoggers())
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			m.Start()
		}()
		if err := outcome(m.Start()); err == nil || *err != nil {
			t.Errorf("after a panic, Start again has %v", err)
		}
		if m.Start(); asked != 2 {
			t.Errorf("it was asked %d times", asked)
		}
		m.Close()

		m = autoconfig.NewStreamManager(testKey, srv.URL, recorder{}, configFunc(func() *http.Client {
			m.Close()
			return srv.Client()
		}), 0, ldlog.NewDisabledLoggers())
		if err := outcome(m.Start()); err == nil || *err != autoconfig.ErrClosed {
			t.Errorf("closed within Start, it has %v", err)
		}
		if n := len(srv.Requests()); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestCloseWithinTheHandler, from any of its methods: everything else has ended when Close returns, and
// the handler is not called again.
func TestCloseWithinTheHandler(t *testing.T) {
	for _, method := range []string{
		"added", "updated", "expired", "deleted", "filter added", "filter updated", "filter deleted", "synced",
	} {
		t.Run(method, func(t *testing.T) {
			inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				var m *autoconfig.StreamManager
				var calls []string
				returned := false
				m = manage(t, srv, recorder{func(line string) {
					calls = append(calls, line)
					if strings.HasPrefix(line, method+" ") || line == method {
						m.Close()
						m.Close()
						returned = true
						time.Sleep(time.Hour) // what comes after Close may take its time
					}
				}})
				ready := m.Start()
				synctest.Wait()
				tellEverything(srv)
				synctest.Wait()
				if !returned {
					t.Fatalf("Close did not return; calls: %q", calls)
				}
				if n := srv.Connections(); n != 0 {
					t.Errorf("%d connections are open", n)
				}
				made := len(calls)
				tellEverything(srv)
				pass(2 * time.Hour)
				if len(calls) != made {
					t.Errorf("calls after Close: %q", calls[made:])
				}
				if m.Err() != autoconfig.ErrClosed {
					t.Errorf("it ended with %v", m.Err())
				}
				synced := slices.Contains(calls, "synced")
				if err := outcome(ready); err == nil || synced && *err != nil || !synced && *err != autoconfig.ErrClosed {
					t.Errorf("the channel has %v; synced: %t", err, synced)
				}
				m.Close()
			})
		})
	}
}

// tellEverything sends what leads to a call of every method.
func tellEverything(srv *autoconfigtest.Server) {
	srv.Put(listing(concurrent(environment("e1", 1), "sdk-1", "sdk-2")))
	srv.Patch(concurrent(environment("e1", 2), "sdk-1")) // sdk-2 expires
	srv.Delete("e1", 3)
	srv.PatchFilter("f1", autoconfig.FilterRep{Version: 1})
	srv.PatchFilter("f1", autoconfig.FilterRep{Version: 2})
	srv.DeleteFilter("f1", 3)
}

// TestCloseWaitsForACallOfTheHandler, whoever calls it and however often.
func TestCloseWaitsForACallOfTheHandler(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		const closers = 10
		goOn := make(chan struct{})
		var calls, returned atomic.Int32
		m := manage(t, srv, recorder{func(string) {
			calls.Add(1)
			<-goOn
		}})
		m.Start()
		tellEverything(srv)
		synctest.Wait()
		for range closers {
			go func() {
				m.Close()
				returned.Add(1)
			}()
		}
		pass(time.Hour)
		if calls.Load() != 1 || returned.Load() != 0 {
			t.Errorf("%d calls began, and Close returned %d times while one was under way", calls.Load(), returned.Load())
		}
		if n := srv.Connections(); n != 0 {
			t.Errorf("%d connections are open meanwhile", n)
		}
		close(goOn)
		synctest.Wait()
		if calls.Load() != 1 || returned.Load() != closers {
			t.Errorf("%d calls in all, and Close returned %d times", calls.Load(), returned.Load())
		}
	})
}

// TestManagerLog goes to the ldlog loggers of the caller, at the same levels, with the prefix that
// Relay gives this component, and no more of it than these want.
func TestManagerLog(t *testing.T) {
	const prefix = "AutoConfiguration: "
	for _, level := range []ldlog.LogLevel{ldlog.Debug, ldlog.Info, ldlog.Warn, ldlog.Error, ldlog.None} {
		t.Run(level.Name(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				log := ldlogtest.NewMockLog()
				log.Loggers.SetMinLevel(level)
				m := autoconfig.NewStreamManager(testKey, srv.URL, recorder{func(string) {}}, httpConfig{srv.Client()}, 0, log.Loggers)
				m.Start()
				synctest.Wait()
				srv.Put(listing(environment("e1", 1)))
				srv.SendEvent("patch", `{"path":"/segments/s1"}`)
				srv.SendEvent("unknown", "")
				srv.SendEvent("patch", "{")
				synctest.Wait()
				m.Close()
				var got []string
				for _, item := range log.GetAllOutput() {
					text, ok := strings.CutPrefix(item.Message, prefix)
					if !ok {
						t.Errorf("without prefix: %q", item.Message)
					}
					line, _, _ := strings.Cut(text, ` error=`)
					got = append(got, strings.ToUpper(item.Level.Name())+" "+line)
				}
				want := map[ldlog.LogLevel][]string{
					ldlog.Debug: {"DEBUG message ignored"},
					ldlog.Info: {"INFO connecting url=" + srv.URL + "/relay_auto_config", "INFO received configuration environments=1 filters=0",
						"INFO environment added environment=e1 project=Project name=\"Env e1\" version=1", "INFO synced cached=false"},
					ldlog.Warn:  {"WARN message ignored"},
					ldlog.Error: {"ERROR malformed event"},
				}
				var expected []string
				for _, l := range []ldlog.LogLevel{ldlog.Info, ldlog.Debug, ldlog.Warn, ldlog.Error} { // in the order of the conversation
					if l >= level {
						expected = append(expected, want[l]...)
					}
				}
				expect(t, "log", got, expected...)
			})
		})
	}
}

// TestManagerDefaults are those of the constructor's comment: a delay of 1 s, and a client of its own.
func TestManagerDefaults(t *testing.T) {
	for _, delay := range []time.Duration{0, -time.Second, 10 * time.Second} {
		inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
			var at []time.Time
			srv.Next(repeat(2, autoconfigtest.Handle(func(w http.ResponseWriter, _ *http.Request) {
				at = append(at, time.Now())
				w.WriteHeader(http.StatusServiceUnavailable)
			}))...)
			m := autoconfig.NewStreamManager(testKey, srv.URL, recorder{}, httpConfig{srv.Client()}, delay, ldlog.NewDisabledLoggers())
			m.Start()
			pass(time.Minute)
			m.Close()
			want := delay
			if delay <= 0 {
				want = autoconfig.DefaultInitialRetryDelay
			}
			if got := at[1].Sub(at[0]); got < want/2 || got > want {
				t.Errorf("with %v the first delay is %v, want up to %v", delay, got, want)
			}
		})
	}

	srv := autoconfigtest.NewServer(testKey)
	defer srv.Close()
	srv.Put(listing())
	m := autoconfig.NewStreamManager(testKey, srv.URL, recorder{func(string) {}}, nil, 0, ldlog.NewDisabledLoggers())
	defer m.Close()
	if err := <-m.Start(); err != nil {
		t.Error(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic without a handler")
		}
	}()
	autoconfig.NewStreamManager(testKey, srv.URL, nil, nil, 0, ldlog.NewDisabledLoggers())
}
