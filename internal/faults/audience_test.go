package faults_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
)

// An audience follows a server in every way there is: a Client with two subscribers and a snapshot, Observe, and
// a StreamManager. Each of the three has a network of its own.
type audience struct {
	server  *autoconfigtest.Server
	wires   [3]*testkit.Wire
	mirrors []*testkit.Mirror
	handler *testkit.HandlerMirror

	client      *autoconfig.Client
	manager     *autoconfig.StreamManager
	stopObserve context.CancelCauseFunc
	running     sync.WaitGroup
}

var errEnough = errors.New("enough")

// wiredConfig is an autoconfig.HTTPConfig.
type wiredConfig struct{ *testkit.Wire }

func (c wiredConfig) Client() *http.Client { return c.Wire.Client() }

// gather connects an audience. The User-Agent of the first two is their number. Every subscriber calls pause, if
// that is not nil, with its number for each change.
func gather(t *testing.T, server *autoconfigtest.Server, wires [3]*testkit.Wire, o autoconfig.Options, pause func(who int)) *audience {
	if pause == nil {
		pause = func(int) {}
	}
	a := &audience{server: server, wires: wires, handler: testkit.NewHandlerMirror(func() { pause(5) })}
	options := func(who int) *autoconfig.Options {
		o := o
		o.Logger = testkit.Censored(t)
		o.BaseURI, o.HTTPClient, o.UserAgent, o.Lag = server.URL, wires[who].Client(), strconv.Itoa(who), 2
		return &o
	}
	client, err := autoconfig.Open(t.Context(), testkit.Key, options(0))
	if err != nil {
		t.Fatal(err)
	}
	a.client = client
	follow := func(ctx context.Context, name string, changes stream.Observable[autoconfig.Change], want error) {
		m, who := testkit.NewMirror(name), len(a.mirrors)
		a.mirrors = append(a.mirrors, m)
		a.running.Go(func() {
			err := changes.ForEach(ctx, func(c autoconfig.Change) error {
				m.Apply(c)
				pause(who)
				return nil
			})
			if !errors.Is(err, want) {
				t.Errorf("%s ended with %v, want %v", name, err, want)
			}
		})
	}
	follow(t.Context(), "Changes", client.Changes(), nil)
	follow(t.Context(), "ChangesUnder(Block)", client.ChangesUnder(stream.Block[autoconfig.Change](1)), nil)
	ctx, stop := context.WithCancelCause(t.Context())
	a.stopObserve = stop
	follow(ctx, "Observe", autoconfig.Observe(testkit.Key, options(1)), errEnough)
	a.manager = autoconfig.NewStreamManager(testkit.Key, server.URL, a.handler, wiredConfig{wires[2]}, o.InitialRetryDelay, testkit.CensoredLoggers(t))
	a.manager.Start()
	return a
}

// check fails the test unless everybody has exactly the configuration of the server.
func (a *audience) check(t *testing.T) {
	t.Helper()
	want := testkit.Current(a.server.Content())
	snapshot := testkit.NewMirror("Snapshot")
	snapshot.Set(a.client.Snapshot())
	for _, m := range append(a.mirrors, snapshot) {
		m.Check(t, want)
	}
	a.handler.Check(t, want)
}

// leave closes everything, and fails the test if a connection is left. The end of the bubble checks that no
// goroutine is left.
func (a *audience) leave(t *testing.T) {
	t.Helper()
	a.client.Close()
	a.manager.Close()
	a.stopObserve(errEnough)
	a.running.Wait()
	synctest.Wait()
	for i, w := range a.wires {
		if open, dialed := w.Connections(); open != 0 {
			t.Errorf("network %d: %d of %d connections are left", i, open, dialed)
		}
	}
	if n := a.server.Connections(); n != 0 {
		t.Errorf("the server is left with %d connections", n)
	}
}

// knows reports whether everybody has an environment.
func (a *audience) knows(id autoconfig.EnvironmentID) bool {
	for _, m := range a.mirrors {
		if !m.Knows(id) {
			return false
		}
	}
	return a.handler.Knows(id)
}
