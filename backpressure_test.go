package autoconfig_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
)

// The limits of what lies between the network and a stopped subscriber, besides the changes that wait for it:
// maxBatch is the batch that it is busy with and two changes that its policy does not count; maxBuffers are the
// buffers of the connection, in bytes, and those of its transport.
const (
	maxBatch   = 64 + 2
	maxBuffers = 2*512<<10 + 128<<10
)

// A firehose sends a put and then versions of one environment, 100,000 a second.
type firehose struct {
	versions atomic.Int64 // sent so far
	size     atomic.Int64 // of the last of them, in bytes
	requests atomic.Int64
}

func (f *firehose) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.requests.Add(1)
	w.Header().Set("Content-Type", "text/event-stream")
	put := "event: put\ndata: " + testkit.JSON(autoconfig.PutMessageData{Path: "/", Data: testkit.Listing()}) + "\n\n"
	if _, err := w.Write([]byte(put)); err != nil {
		return
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for version := 1; ; {
		for range 100 {
			e := testkit.Environment("a", version)
			e.EnvName = fmt.Sprintf("version-%d", version) // a handler is not told of versions
			patch := autoconfig.PatchMessageData{Path: "/environments/a", Data: e}
			n, err := w.Write([]byte("event: patch\ndata: " + testkit.JSON(patch) + "\n\n"))
			if err != nil {
				return
			}
			f.versions.Store(int64(version))
			f.size.Store(int64(n))
			version++
		}
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// TestStoppedSubscriberStopsTheServer stops a lossless subscriber for longer than the idle timeout while the
// server sends 100,000 changes a second. The client must buffer no more than its limits, leave the rest to
// the server, and not take its own slowness for silence. When the subscriber goes on, it gets every change.
func TestStoppedSubscriberStopsTheServer(t *testing.T) {
	const lag = 100
	type subscribe func(t *testing.T, o *autoconfig.Options, each func(version int) bool)
	for name, test := range map[string]struct {
		waiting   int
		subscribe subscribe
	}{
		"Observe": {autoconfig.DefaultLag, func(t *testing.T, o *autoconfig.Options, each func(int) bool) {
			o.Lag = 1 << 20 // which is for Client.Changes alone
			err := autoconfig.Observe(testkit.Key, o)(t.Context(), func(c autoconfig.Change) bool {
				return c.Kind == autoconfig.Synced || each(c.New.Version)
			})
			if err != nil {
				t.Error(err)
			}
		}},
		"ChangesUnder(Block)": {lag, func(t *testing.T, o *autoconfig.Options, each func(int) bool) {
			// One that comes late is told of what there is, and not of how it came about.
			subscribed := make(chan struct{})
			o.Key = func(context.Context) (autoconfig.AutoConfigKey, error) {
				<-subscribed
				return testkit.Key, nil
			}
			c := testkit.Open(t, o)
			defer c.Close()
			go func() {
				synctest.Wait()
				close(subscribed)
			}()
			err := c.ChangesUnder(stream.Block[autoconfig.Change](lag))(t.Context(), func(change autoconfig.Change) bool {
				if s := c.Stats().Subscribers[0]; s.Lag > lag+maxBatch {
					t.Errorf("%d changes wait", s.Lag)
				}
				return change.Kind == autoconfig.Synced || each(change.New.Version)
			})
			if err != nil {
				t.Error(err)
			}
		}},
		"StreamManager": {autoconfig.DefaultLag, func(t *testing.T, o *autoconfig.Options, each func(int) bool) {
			var m *autoconfig.StreamManager
			over := make(chan struct{})
			m = autoconfig.NewStreamManager(testkit.Key, o.BaseURI, recorder{func(line string) {
				var kind string
				var version int
				if n, _ := fmt.Sscanf(line, "%s a version-%d", &kind, &version); n == 2 && !each(version) {
					m.Close()
					close(over)
				}
			}}, httpConfig{o.HTTPClient}, 0, ldlog.NewDisabledLoggers())
			m.Start()
			<-over
		}},
	} {
		t.Run(name, func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				var hose firehose
				srv.Next(autoconfigtest.Handle(hose.ServeHTTP))
				w := testkit.NewWire(srv)
				o := &autoconfig.Options{BaseURI: srv.URL, HTTPClient: w.Client(), IdleTimeout: 30 * time.Second}
				const stopAt, end = 50_000, 60_000
				last := 0
				test.subscribe(t, o, func(version int) bool {
					if version != last+1 {
						t.Errorf("version %d follows %d", version, last)
					}
					if last = version; version == stopAt {
						sleepWatching(t, &hose, w, version, test.waiting)
					}
					return version < end
				})
				if n := hose.requests.Load(); n != 1 || last != end {
					t.Errorf("%d connections brought %d versions", n, last)
				}
			})
		})
	}
}

// sleepWatching sleeps for ten minutes, twice the default IdleTimeout. It fails the test unless nothing moves
// meanwhile, and little lies between server and subscriber.
func sleepWatching(t *testing.T, hose *firehose, w *testkit.Wire, version, waiting int) {
	t.Helper()
	time.Sleep(time.Second)
	synctest.Wait()
	sent, read := hose.versions.Load(), w.Bytes()
	time.Sleep(10 * time.Minute)
	synctest.Wait()
	if s, r := hose.versions.Load(), w.Bytes(); s != sent || r != read {
		t.Errorf("meanwhile %d versions were sent, and %d bytes read", s-sent, r-read)
	}
	// A pipe holds nothing, and the server's side 4 KiB.
	ahead, size := sent-int64(version), hose.size.Load()
	most := int64(waiting) + maxBatch + (maxBuffers+8<<10)/size
	if ahead > most {
		t.Errorf("more than %d versions lie in between", most)
	}
	t.Logf("%d versions of %d bytes each lie in between, at most %d", ahead, size, most)
}

// TestSlowSubscriberIsNotSilence checks that a subscriber that takes an hour for a change does not make
// an otherwise quiet connection look idle.
func TestSlowSubscriberIsNotSilence(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing(testkit.Environment("a", 1)))
		o := testkit.To(srv)
		o.IdleTimeout = time.Minute
		heartbeats, stop := context.WithCancel(t.Context())
		defer stop()
		go func() {
			for heartbeats.Err() == nil {
				testkit.Pass(30 * time.Second)
				srv.Heartbeat()
			}
		}()
		n := 0
		err := autoconfig.Observe(testkit.Key, o)(t.Context(), func(autoconfig.Change) bool {
			n++
			time.Sleep(time.Hour)
			return n < 2
		})
		if requests := srv.Requests(); err != nil || len(requests) != 1 {
			t.Errorf("%v after %d connections", err, len(requests))
		}
		stop()
	})
}

// TestBlockedSubscriberDelaysExpiry checks that a lossless subscriber delays the expiry of keys like any other
// change, and does not prevent it.
func TestBlockedSubscriberDelaysExpiry(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		e := testkit.Environment("a", 1)
		e.SDKKey.Expiring = decode.ExpiringKeyRep{Value: "sdk-old", Timestamp: time.Now().Add(time.Minute).UnixMilli()}
		srv.Put(testkit.Listing(e))
		c := testkit.Open(t, testkit.To(srv))
		if err := c.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		slow, release := blocked(c.ChangesUnder(stream.Block[autoconfig.Change](1)))
		other := testkit.Watch(c.Changes())
		synctest.Wait()
		for i := range 5 {
			srv.Patch(testkit.Environment("b", 1+i))
		}
		testkit.Pass(time.Hour)
		release()
		for name, w := range map[string]*testkit.Watcher[autoconfig.Change]{"slow": slow, "other": other} {
			expired := 0
			for _, change := range w.Take() {
				if change.Kind == autoconfig.KeyExpired {
					expired++
				}
			}
			if expired != 1 {
				t.Errorf("the key expired %d times for the %s subscriber", expired, name)
			}
		}
		c.Close()
	})
}
