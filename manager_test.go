package autoconfig_test

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/launchdarkly/go-sdk-common/v3/ldlogtest"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream/sse"
)

// manage returns a manager that has not been started, and is closed at the end of the test or bubble.
func manage(t *testing.T, srv *autoconfigtest.Server, handler autoconfig.MessageHandler) *autoconfig.StreamManager {
	t.Helper()
	m := autoconfig.NewStreamManager(testkit.Key, srv.URL, handler, httpConfig{srv.Client()}, 0, testkit.CensoredLoggers(t))
	t.Cleanup(m.Close)
	return m
}

// outcome returns the value in a channel of Start, or nil if there is none.
func outcome(ready <-chan error) *error {
	synctest.Wait()
	select {
	case err := <-ready:
		return &err
	default:
		return nil
	}
}

// TestStartTellsOfTheConnection checks that the channel of Start gets nil at the first event stream, with or
// without a configuration, and nothing afterwards.
func TestStartTellsOfTheConnection(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Next(autoconfigtest.Status(503), autoconfigtest.Status(204))
		m := manage(t, srv, recorder{func(string) {}})
		ready := m.Start()
		expectNot := func(moment string) {
			t.Helper()
			if err := outcome(ready); err != nil {
				t.Errorf("%s: the channel has %v", moment, *err)
			}
		}
		expectNot("refused")
		testkit.Pass(time.Minute)
		if err := outcome(ready); err == nil || *err != nil {
			t.Errorf("connected without a configuration: got %v, want nil", err)
		}
		if n := len(srv.Requests()); n != 3 {
			t.Errorf("%d requests, want 3", n)
		}
		if m.Start() != ready {
			t.Error("another Start returns another channel")
		}
		srv.Put(testkit.Listing())
		testkit.Pass(time.Hour)
		m.Close()
		expectNot("after the first value")
	})
}

// TestStartReportsFailure checks that the channel of Start gets the error with which the stream has failed
// for good.
func TestStartReportsFailure(t *testing.T) {
	rejected := func(code int) func(error) bool {
		return func(err error) bool {
			status := (*sse.StatusError)(nil)
			return errors.As(err, &status) && status.Code == code && errors.Is(err, autoconfig.ErrKeyRejected)
		}
	}
	option := func(name string) func(error) bool {
		return func(err error) bool {
			wrong := (*autoconfig.OptionError)(nil)
			return errors.As(err, &wrong) && wrong.Option == name
		}
	}
	for _, test := range []struct {
		name  string
		fault autoconfigtest.Fault
		key   autoconfig.AutoConfigKey
		uri   string
		want  func(error) bool
	}{
		{name: "401", fault: autoconfigtest.Status(401), want: rejected(401)},
		{name: "403", fault: autoconfigtest.Status(403), want: rejected(403)},
		{name: "empty key", key: "-", want: func(err error) bool { return err == autoconfig.ErrInvalidKey }},
		{name: "wrong URI", uri: "stream.example.com", want: option("BaseURI")},
	} {
		t.Run(test.name, func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				srv.Next(test.fault)
				key, uri := autoconfig.AutoConfigKey(testkit.Key), srv.URL
				if test.key != "" {
					key = test.key[1:]
				}
				if test.uri != "" {
					uri = test.uri
				}
				log := ldlogtest.NewMockLog()
				m := autoconfig.NewStreamManager(key, uri, recorder{}, httpConfig{srv.Client()}, 0, log.Loggers)
				defer m.Close()
				ready := m.Start()
				if err := <-ready; !test.want(err) {
					t.Errorf("got %v", err)
				}
				if got := log.GetOutput(ldlog.Error); len(got) != 1 {
					t.Errorf("before it was sent, %q was logged", got)
				}
				if m.Start() != ready {
					t.Error("another Start returns another channel")
				}
				<-m.Done()
				if err := m.Err(); err == nil || !test.want(err) {
					t.Errorf("it ended with %v", err)
				}
				testkit.Pass(24 * time.Hour)
				if n := len(srv.Requests()); n > 1 {
					t.Errorf("%d requests", n)
				}
			})
		})
	}
}

// TestCloseSendsNothing checks that Close sends nothing on the channel of Start: Relay exits the process on
// any error there.
func TestCloseSendsNothing(t *testing.T) {
	for _, before := range []bool{true, false} {
		testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
			srv.Next(autoconfigtest.Hang())
			m := manage(t, srv, recorder{})
			if before {
				m.Close()
			}
			ready := m.Start()
			synctest.Wait()
			m.Close()
			if err := outcome(ready); err != nil {
				t.Errorf("the channel has %v", *err)
			}
			<-m.Done()
			if err := m.Err(); err != autoconfig.ErrClosed {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

// TestCloseAtAnyMoment does what Relay does: it waits for the channel of Start on a goroutine, and would
// exit on an error. Closing at a random moment of a life without a permanent failure must not send one.
func TestCloseAtAnyMoment(t *testing.T) {
	for seed := range uint64(100) {
		testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
			rng := rand.New(rand.NewPCG(seed, 0))
			faults := []autoconfigtest.Fault{nil, autoconfigtest.Hang(), autoconfigtest.Status(503), autoconfigtest.Status(204),
				autoconfigtest.Cut(1), autoconfigtest.Malformed(), autoconfigtest.Stall(1)}
			for range rng.IntN(4) {
				srv.Next(faults[rng.IntN(len(faults))])
			}
			if rng.IntN(2) == 0 {
				srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
			}
			m := manage(t, srv, recorder{func(string) {}})
			ready, caller := m.Start(), make(chan struct{})
			var got error
			go func() {
				defer close(caller)
				select {
				case got = <-ready:
				case <-m.Done():
				}
			}()
			time.Sleep(time.Duration(rng.Int64N(int64(time.Minute))) >> rng.IntN(40))
			m.Close()
			<-caller
			if got != nil {
				t.Errorf("seed %d: Relay would exit: %v", seed, got)
			}
		})
	}
}

// TestManagerWarnsOfPlainHTTP checks that the classic constructor takes plain http, as Relay does, and logs
// a warning.
func TestManagerWarnsOfPlainHTTP(t *testing.T) {
	for uri, want := range map[string]int{"http://relay.internal:8030": 1, "http://localhost:8030": 0, "https://relay.internal": 0} {
		log := ldlogtest.NewMockLog()
		r := refuser{status: http.StatusUnauthorized}
		m := autoconfig.NewStreamManager(testkit.Key, uri, recorder{}, httpConfig{&http.Client{Transport: &r}}, 0, log.Loggers)
		if err := (*sse.StatusError)(nil); !errors.As(<-m.Start(), &err) {
			t.Errorf("%s: no request", uri)
		}
		m.Close()
		if got := log.GetOutput(ldlog.Warn); len(got) != want {
			t.Errorf("%s: warnings %q", uri, got)
		}
	}
}

// TestRejectionAfterAGoodStart checks that a key that is rejected later ends the stream, and that log, Done
// and Err tell.
func TestRejectionAfterAGoodStart(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing())
		srv.Next(nil, autoconfigtest.Status(401))
		log := ldlogtest.NewMockLog()
		m := autoconfig.NewStreamManager(testkit.Key, srv.URL, recorder{func(string) {}}, httpConfig{srv.Client()}, 0, log.Loggers)
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
		testkit.Pass(24 * time.Hour)
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

// TestStartSurvivesItsHTTPConfig checks that Start asks its HTTPConfig once, may be called again if that
// panics, and lets it call Close.
func TestStartSurvivesItsHTTPConfig(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing())
		asked := 0
		m := autoconfig.NewStreamManager(testkit.Key, srv.URL, recorder{func(string) {}}, configFunc(func() *http.Client {
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

		m = autoconfig.NewStreamManager(testkit.Key, srv.URL, recorder{}, configFunc(func() *http.Client {
			m.Close()
			return srv.Client()
		}), 0, ldlog.NewDisabledLoggers())
		if err := outcome(m.Start()); err != nil {
			t.Errorf("closed within Start, it has %v", *err)
		}
		if n := len(srv.Requests()); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestCloseWithinTheHandler calls Close from within each method of a handler. Everything else must have
// ended when Close returns, and the handler must not be called again.
func TestCloseWithinTheHandler(t *testing.T) {
	for _, method := range []string{
		"added", "updated", "expired", "deleted", "filter added", "filter updated", "filter deleted", "synced",
	} {
		t.Run(method, func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
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
				testkit.Pass(2 * time.Hour)
				if len(calls) != made {
					t.Errorf("calls after Close: %q", calls[made:])
				}
				if m.Err() != autoconfig.ErrClosed {
					t.Errorf("it ended with %v", m.Err())
				}
				if err := outcome(ready); err == nil || *err != nil {
					t.Errorf("the channel has %v, want nil for the connection", err)
				}
				m.Close()
			})
		})
	}
}

// tellEverything has the server send what leads to a call of every method of a handler.
func tellEverything(srv *autoconfigtest.Server) {
	srv.Put(testkit.Listing(concurrent(testkit.Environment("e1", 1), "sdk-1", "sdk-2")))
	srv.Patch(concurrent(testkit.Environment("e1", 2), "sdk-1")) // sdk-2 expires
	srv.Delete("e1", 3)
	srv.PatchFilter("f1", autoconfig.FilterRep{Version: 1})
	srv.PatchFilter("f1", autoconfig.FilterRep{Version: 2})
	srv.DeleteFilter("f1", 3)
}

// TestCloseWaitsForACallOfTheHandler checks that every call of Close waits for the call of the handler that
// is under way.
func TestCloseWaitsForACallOfTheHandler(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
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
		testkit.Pass(time.Hour)
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

// TestManagerLog checks that the log of a manager goes to the caller's ldlog loggers, with the levels and
// the prefix of Relay's.
func TestManagerLog(t *testing.T) {
	const prefix = "AutoConfiguration: "
	for _, level := range []ldlog.LogLevel{ldlog.Debug, ldlog.Info, ldlog.Warn, ldlog.Error, ldlog.None} {
		t.Run(level.Name(), func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				log := ldlogtest.NewMockLog()
				log.Loggers.SetMinLevel(level)
				m := autoconfig.NewStreamManager(testkit.Key, srv.URL, recorder{func(string) {}}, httpConfig{srv.Client()}, 0, log.Loggers)
				m.Start()
				synctest.Wait()
				srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
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
					if strings.HasPrefix(line, "received event") {
						continue
					}
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
				testkit.Expect(t, "log", got, expected...)
			})
		})
	}
}

// TestManagerDefaults checks the defaults that the constructor documents: a delay of 1 s, and an HTTP client
// of its own.
func TestManagerDefaults(t *testing.T) {
	for _, delay := range []time.Duration{0, -time.Second, 10 * time.Second} {
		testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
			var at []time.Time
			srv.Next(repeat(2, autoconfigtest.Handle(func(w http.ResponseWriter, _ *http.Request) {
				at = append(at, time.Now())
				w.WriteHeader(http.StatusServiceUnavailable)
			}))...)
			m := autoconfig.NewStreamManager(testkit.Key, srv.URL, recorder{}, httpConfig{srv.Client()}, delay, ldlog.NewDisabledLoggers())
			m.Start()
			testkit.Pass(time.Minute)
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

	srv := autoconfigtest.NewServer(testkit.Key)
	defer srv.Close()
	srv.Put(testkit.Listing())
	m := autoconfig.NewStreamManager(testkit.Key, srv.URL, recorder{func(string) {}}, nil, 0, ldlog.NewDisabledLoggers())
	defer m.Close()
	if err := <-m.Start(); err != nil {
		t.Error(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic without a handler")
		}
	}()
	autoconfig.NewStreamManager(testkit.Key, srv.URL, nil, nil, 0, ldlog.NewDisabledLoggers())
}
