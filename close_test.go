package autoconfig_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
)

// A stage is what is under way when Close is called.
type stage struct {
	srv  *autoconfigtest.Server
	o    *autoconfig.Options
	wire *testkit.Wire
}

// faulty is a stage at which the server answers with a fault.
func faulty(fault autoconfigtest.Fault) func(stage) {
	return func(s stage) { s.srv.Next(fault) }
}

// stages are the phases of a connection. Close may also meet a blocked subscriber, which other tests of this
// file are about, a busy Cache (TestStuckSave, TestStuckLoad, TestCloseGivesUpOnAStore), a slow logger
// (TestSlowLoggerHoldsUpNobody), or a large put (TestEndWhileAPutIsDecoded, TestEndWhileAPutIsApplied).
var stages = map[string]func(stage){
	"dialling": func(s stage) {
		s.wire.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}
	},
	"shaking hands": func(s stage) {
		s.o.BaseURI = "https://127.0.0.1"
		s.wire.Dial = func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, far) }() // until the client leaves
			return near, nil
		}
	},
	"waiting for the header":  faulty(autoconfigtest.Hang()),
	"waiting to retry":        faulty(autoconfigtest.Status(503)),
	"waiting for long":        faulty(autoconfigtest.Answer(429, http.Header{"Retry-After": {"3600"}}, "")),
	"reading an error's body": faulty(autoconfigtest.Chain(autoconfigtest.Stall(3), autoconfigtest.Status(500))),
	"reading":                 faulty(nil),
	"half through an event":   faulty(autoconfigtest.Stall(40)),
	"getting byte by byte":    faulty(autoconfigtest.Drip(time.Second)),
}

// TestCloseInEveryPhase closes a client and a manager in every phase of a connection. Close must take no
// time, and neither a connection nor a goroutine may be left. A bubble ends only when all goroutines have.
func TestCloseInEveryPhase(t *testing.T) {
	kinds := map[string]func(t *testing.T, o *autoconfig.Options) (closer func()){
		"client": func(t *testing.T, o *autoconfig.Options) func() { return testkit.Open(t, o).Close },
		"manager": func(t *testing.T, o *autoconfig.Options) func() {
			m := autoconfig.NewStreamManager(testkit.Key, o.BaseURI, recorder{func(string) {}}, httpConfig{o.HTTPClient}, 0, testkit.CensoredLoggers(t))
			m.Start()
			return m.Close
		},
	}
	for name, prepare := range stages {
		for kind, start := range kinds {
			t.Run(kind+" "+name, func(t *testing.T) {
				testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
					srv.Put(testkit.Listing(testkit.Environment("a", 1)))
					w := testkit.NewWire(srv)
					o := &autoconfig.Options{BaseURI: srv.URL, HTTPClient: w.Client()}
					prepare(stage{srv, o, w})
					closeIt := start(t, o)
					synctest.Wait()
					before := time.Now()
					closeIt()
					closeIt()
					if waited := time.Since(before); waited != 0 {
						t.Errorf("Close took %v", waited)
					}
					// A transport of the caller's keeps what it can use again: a dial that is under way, and a
					// connection on which a response has ended.
					o.HTTPClient.CloseIdleConnections()
					synctest.Wait()
					if open, dialed := w.Connections(); open != 0 || dialed > 1 {
						t.Errorf("%d of %d connections are left", open, dialed)
					}
				})
			})
		}
	}
}

func TestCloseWhileTheKeyIsAwaited(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		o := testkit.To(srv)
		o.Key = func(ctx context.Context) (autoconfig.AutoConfigKey, error) {
			<-ctx.Done()
			return "", context.Cause(ctx)
		}
		client := testkit.Open(t, o)
		synctest.Wait()
		before := time.Now()
		client.Close()
		if waited := time.Since(before); waited != 0 {
			t.Errorf("Close took %v", waited)
		}
		if err := client.Ready(t.Context()); !errors.Is(err, autoconfig.ErrClosed) {
			t.Error(err)
		}
	})
}

// TestCloseWhileSubscribersHoldUpTheStream closes a client that waits for a lossless subscriber, a function
// or a channel that nobody receives from. The subscriber still gets what was waiting for it.
func TestCloseWhileSubscribersHoldUpTheStream(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing())
		client := testkit.Open(t, testkit.To(srv))
		if err := client.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		lossless := client.ChangesUnder(stream.Block[autoconfig.Change](1))
		slow, release := blocked(lossless)
		unread, stop := lossless.Chan(t.Context(), 0)
		synctest.Wait()
		for i := range 100 {
			srv.Patch(testkit.Environment("a", i+1))
		}
		synctest.Wait()
		lag := client.Stats().Subscribers[0].Lag
		before := time.Now()
		client.Close()
		if waited := time.Since(before); waited != 0 {
			t.Errorf("Close took %v", waited)
		}
		release()
		if err := slow.End(); err != nil || len(slow.Take()) < lag {
			t.Errorf("the subscriber ended with %v and less than the %d changes that waited", err, lag)
		}
		n := 0
		for range unread {
			n++
		}
		if err := stop(); err != nil || n < lag {
			t.Errorf("the channel was closed with %v after %d changes; %d waited", err, n, lag)
		}
	})
}

var errTooLong = errors.New("took too long")

// TestCloseContextGivesUpOnTheHandler checks that CloseContext stops waiting for a call of the handler when
// its context ends, and that everything else has ended then.
func TestCloseContextGivesUpOnTheHandler(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		goOn, calls := make(chan struct{}), 0
		m := manage(t, srv, recorder{func(string) {
			calls++
			<-goOn
		}})
		m.Start()
		tellEverything(srv)
		synctest.Wait()
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errTooLong)
		defer cancel()
		before := time.Now()
		if err := m.CloseContext(ctx); err != errTooLong || time.Since(before) != time.Second {
			t.Errorf("%v after %v", err, time.Since(before))
		}
		if n := srv.Connections(); n != 0 {
			t.Errorf("%d connections are open", n)
		}
		close(goOn)
		synctest.Wait()
		// It is of no account that ctx has ended when there is nothing to wait for.
		if err := m.CloseContext(ctx); err != nil || calls != 1 {
			t.Errorf("%v after %d calls", err, calls)
		}
	})
}

// TestCloseLeavesNoFile opens and closes clients on a real network with the default HTTP client, and counts
// the open files of the process.
func TestCloseLeavesNoFile(t *testing.T) {
	const files = "/proc/self/fd"
	if _, err := os.ReadDir(files); err != nil {
		t.Skip("this system does not list open files")
	}
	longest := time.Duration(0)
	round := func() {
		srv := autoconfigtest.NewServer(testkit.Key)
		defer srv.Close()
		srv.Put(testkit.Listing(testkit.Environment("a", 1)))
		srv.Next(nil, autoconfigtest.Hang(), nil, autoconfigtest.Stall(10))
		var clients []*autoconfig.Client
		for range 20 {
			clients = append(clients, testkit.Open(t, &autoconfig.Options{BaseURI: srv.URL}))
		}
		if err := srv.AwaitRequests(t.Context(), len(clients)); err != nil {
			t.Fatal(err)
		}
		for _, c := range clients {
			longest = max(longest, closing(c))
		}
		if err := srv.AwaitConnections(t.Context(), 0); err != nil {
			t.Error(err)
		}
	}
	count := func() int {
		testkit.AwaitNoGoroutines(t) // some close what the peer has left
		list, err := os.ReadDir(files)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	round() // what the first use of a network opens stays
	before := count()
	round()
	if after := count(); after > before {
		t.Errorf("%d files were open before, and %d after", before, after)
	}
	t.Logf("the longest of 40 calls of Close took %v", longest)
}
