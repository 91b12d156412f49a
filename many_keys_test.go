package autoconfig_test

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
)

const manyKeys = 10_000

// withManyKeys gives an environment many SDK keys and many mobile keys that expire at a time.
func withManyKeys(e autoconfig.EnvironmentRep, prefix string, at time.Time) autoconfig.EnvironmentRep {
	ms := at.UnixMilli()
	e.SDKKeys = []decode.ConcurrentKeyRep[autoconfig.SDKKey]{{Value: e.SDKKey.Value}}
	e.MobileKeys = []decode.ConcurrentKeyRep[autoconfig.MobileKey]{{Value: e.MobKey}}
	for i := range manyKeys / 2 {
		e.SDKKeys = append(e.SDKKeys, decode.ConcurrentKeyRep[autoconfig.SDKKey]{Value: autoconfig.SDKKey(fmt.Sprint("sdk-", prefix, i)), Expiry: &ms})
		e.MobileKeys = append(e.MobileKeys, decode.ConcurrentKeyRep[autoconfig.MobileKey]{Value: autoconfig.MobileKey(fmt.Sprint("mob-", prefix, i)), Expiry: &ms})
	}
	return e
}

// allocatedBy returns how many bytes f allocates, on any goroutine.
func allocatedBy(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// expectMemory fails the test if f allocates more than limit MiB: more than work in proportion to many keys, the
// test's own included, allocates, and far less than work in proportion to their square.
func expectMemory(t *testing.T, what string, limit uint64, f func()) {
	t.Helper()
	if n := allocatedBy(f) >> 20; n > limit && !testkit.RaceDetected() {
		t.Errorf("%s: %d MiB were allocated, want up to %d", what, n, limit)
	}
}

// TestManyKeysAndABlockedSubscriber changes 10,000 keys of one environment in one patch, and lets them
// expire at one moment, while a subscriber with stream.Block is blocked. Memory must be in proportion to the
// keys.
func TestManyKeysAndABlockedSubscriber(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		start := time.Now()
		srv.Put(testkit.Listing(withManyKeys(testkit.Environment("e1", 1), "first-", start.Add(time.Hour))))
		c := testkit.Open(t, testkit.To(srv))
		if err := c.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		slow, release := blocked(c.ChangesUnder(stream.Block[autoconfig.Change](100)))
		other := testkit.Watch(c.Changes())
		synctest.Wait()
		next := withManyKeys(testkit.Environment("e1", 2), "second-", start.Add(time.Minute))
		expectMemory(t, "a patch, with the server's part of it", 64, func() {
			srv.Patch(next)
			synctest.Wait()
		})
		expectMemory(t, "the expiry", 20, func() { testkit.Pass(time.Minute) })
		if got := c.Snapshot().Environments[0]; len(got.SDKKeys) != 1 || len(got.MobileKeys) != 1 {
			t.Errorf("%d SDK keys and %d mobile keys are left", len(got.SDKKeys), len(got.MobileKeys))
		}
		expectMemory(t, "the delivery to two subscribers", 40, func() {
			release()
			synctest.Wait()
		})
		for name, w := range map[string]*testkit.Watcher[autoconfig.Change]{"blocked": slow, "other": other} {
			expectExpired(t, name, w.Take())
		}
		c.Close()
	})
}

// expectExpired fails the test unless changes are those of a first configuration with many keys, a patch that
// replaces all of them, and their expiry, each key once.
func expectExpired(t *testing.T, name string, changes []autoconfig.Change) {
	t.Helper()
	expired := make(map[autoconfig.Key]int)
	updated := 0
	for _, c := range changes {
		switch c.Kind {
		case autoconfig.EnvironmentUpdated:
			updated++
		case autoconfig.KeyExpired:
			expired[*c.Key]++
		}
	}
	if len(changes) != 2+updated+2*manyKeys || updated != 1 || len(expired) != 2*manyKeys {
		t.Errorf("%s subscriber: %d changes, %d of them updates, and %d keys expired; want %d, 1 and %d",
			name, len(changes), updated, len(expired), 3+2*manyKeys, 2*manyKeys)
	}
}

// A countingHandler counts its calls. It blocks in the first call of KeyExpired.
type countingHandler struct {
	recorder
	goOn    chan struct{}
	expired map[autoconfig.SDKKey]int
	updated int
	last    autoconfig.EnvironmentParams
}

func (h *countingHandler) KeyExpired(_ autoconfig.EnvironmentID, key autoconfig.SDKKey) {
	<-h.goOn
	h.expired[key]++
}

func (h *countingHandler) UpdateEnvironment(p autoconfig.EnvironmentParams) {
	h.updated++
	h.last = p
}

// TestManyKeysAndABlockedHandler lets 10,000 keys of one environment expire at one moment. The handler must
// be told of each SDK key once, and get one update for all mobile keys, for which it has no other method.
func TestManyKeysAndABlockedHandler(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		h := &countingHandler{recorder: recorder{func(string) {}}, goOn: make(chan struct{}), expired: make(map[autoconfig.SDKKey]int)}
		m := manage(t, srv, h)
		m.Start()
		srv.Put(testkit.Listing(withManyKeys(testkit.Environment("e1", 1), "", time.Now().Add(time.Minute))))
		synctest.Wait()
		expectMemory(t, "the expiry", 20, func() { testkit.Pass(time.Minute) })
		expectMemory(t, "the calls", 20, func() {
			close(h.goOn)
			synctest.Wait()
		})
		if len(h.expired) != manyKeys/2 || h.updated != 1 || len(h.last.AcceptedMobileKeys) != 1 {
			t.Errorf("%d SDK keys expired, and %d updates led to %d mobile keys; want %d, 1 and 1",
				len(h.expired), h.updated, len(h.last.AcceptedMobileKeys), manyKeys/2)
		}
		for key, n := range h.expired {
			if n != 1 {
				t.Fatalf("%v expired %d times", key, n)
			}
		}
		m.Close()
	})
}
