package autoconfig_test

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
)

// lastID is an environment that is added after all else, with a put: who is synced with it has seen
// everything.
const lastID = "last"

// TestEverySubscriberSeesWhatTheServerHas checks that a subscriber gets the state so far and then each
// change once, whenever it came and whatever its policy, while the server changes things at random, loses
// connections, and other subscribers come and go.
func TestEverySubscriberSeesWhatTheServerHas(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	srv := autoconfigtest.NewServer(testkit.Key)
	defer srv.Close()
	srv.Put(testkit.Listing(testkit.Environment("e0", 1), testkit.Environment("e1", 1)))
	o := testkit.To(srv)
	o.InitialRetryDelay, o.Lag = time.Millisecond, 5
	c := testkit.Open(t, o)
	if err := c.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	policies := map[string]func() stream.Observable[autoconfig.Change]{
		"default":       c.Changes,
		"Block":         func() stream.Observable[autoconfig.Change] { return c.ChangesUnder(stream.Block[autoconfig.Change](3)) },
		"Observe apart": func() stream.Observable[autoconfig.Change] { return autoconfig.Observe(testkit.Key, o) },
	}
	var subscribers sync.WaitGroup
	mirrors := make(chan *testkit.Mirror, 3*len(policies))
	for name, changes := range policies {
		for i := range 3 {
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			subscribers.Go(func() {
				visit(t, name, changes, rng)
				m := testkit.NewMirror(fmt.Sprint(name, " ", i))
				stay(t, m, changes())
				mirrors <- m
			})
		}
	}
	meddle(t, srv, rand.New(rand.NewPCG(seed, 99)), 3000)
	srv.Patch(testkit.Environment(lastID, 1))
	srv.Put(srv.Content())
	subscribers.Wait()
	close(mirrors)
	for m := range mirrors {
		m.Check(t, srv.Content())
	}
}

// visit subscribes several times for a random number of changes.
func visit(t *testing.T, name string, changes func() stream.Observable[autoconfig.Change], rng *rand.Rand) {
	for i := range 5 {
		m, n := testkit.NewMirror(fmt.Sprint(name, ", visit ", i)), rng.IntN(300)
		err := changes()(t.Context(), func(c autoconfig.Change) bool {
			m.Apply(c)
			return len(m.Applied) < n && !m.Knows(lastID)
		})
		if err != nil || m.Problem != "" {
			t.Errorf("%s: %v, %s", m.Name, err, m.Problem)
		}
	}
}

// stay subscribes until it is synced with the last environment, and looks at how it begins: with
// nothing but additions up to the first Synced.
func stay(t *testing.T, m *testkit.Mirror, changes stream.Observable[autoconfig.Change]) {
	synced := false
	err := changes(t.Context(), func(c autoconfig.Change) bool {
		m.Apply(c)
		synced = synced || c.Kind == autoconfig.Synced
		if !synced && c.Kind != autoconfig.EnvironmentAdded && c.Kind != autoconfig.FilterAdded {
			t.Errorf("%s: %v before the first synced", m.Name, c)
		}
		return c.Kind != autoconfig.Synced || !m.Knows(lastID)
	})
	if err != nil {
		t.Errorf("%s: %v", m.Name, err)
	}
}

// meddle changes what a server has, n times.
func meddle(t *testing.T, srv *autoconfigtest.Server, rng *rand.Rand, n int) {
	for version := 2; version < n+2; version++ {
		id := autoconfig.EnvironmentID(fmt.Sprint("e", rng.IntN(30)))
		filter := autoconfig.FilterID(fmt.Sprint("f", rng.IntN(5)))
		switch k := rng.IntN(100); {
		case k < 70:
			srv.Patch(withKeys(testkit.Environment(id, version-rng.IntN(2)), rng))
		case k < 85:
			srv.Delete(id, version)
		case k < 91:
			srv.PatchFilter(filter, autoconfig.FilterRep{ProjKey: "proj", FilterKey: fmt.Sprint(version), Version: version})
		case k < 94:
			srv.DeleteFilter(filter, version)
		case k < 99:
			all := srv.Content()
			maps.DeleteFunc(all.Environments, func(autoconfig.EnvironmentID, autoconfig.EnvironmentRep) bool { return rng.IntN(4) == 0 })
			all.Environments[id] = testkit.Environment(id, version)
			srv.Put(all)
		default:
			srv.EndConnections()
		}
		if version%10 == 0 { // so that subscribers come and go meanwhile
			if err := srv.AwaitDrained(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// withKeys gives an environment concurrent keys that expire some day, in half of all cases.
func withKeys(e autoconfig.EnvironmentRep, rng *rand.Rand) autoconfig.EnvironmentRep {
	if rng.IntN(2) == 0 {
		return e
	}
	e.SDKKeys = []decode.ConcurrentKeyRep[autoconfig.SDKKey]{{Value: e.SDKKey.Value}}
	for i := range rng.IntN(3) {
		some := time.Date(2100, 1, 1+i, 0, 0, 0, 0, time.UTC).UnixMilli()
		e.SDKKeys = append(e.SDKKeys, decode.ConcurrentKeyRep[autoconfig.SDKKey]{Value: autoconfig.SDKKey(fmt.Sprint("sdk-", rng.IntN(4))), Expiry: &some})
	}
	return e
}

// TestALargePutArrivesInTheOrderOfTheWire checks that a put arrives complete, before its Synced and before
// the patches that follow it.
func TestALargePutArrivesInTheOrderOfTheWire(t *testing.T) {
	const n = 30_000
	order := rand.Perm(n)
	raw := bytes.NewBufferString("event: put\ndata: {\"path\":\"/\",\"data\":{\"environments\":{")
	var want []string
	for i, k := range order {
		if i > 0 {
			raw.WriteByte(',')
		}
		fmt.Fprintf(raw, `"e%d":{"envID":"e%d","sdkKey":{"value":"sdk-%d"},"version":%d}`, k, k, k, k)
		want = append(want, fmt.Sprintf("added e%d sdk=sdk-%d", k, k))
	}
	raw.WriteString("}}}\n\n")
	want = append(want, "synced")
	for _, k := range order[:100] {
		raw.WriteString(event("patch", fmt.Sprintf(`{"path":"/environments/e%d","data":{"envID":"e%d","version":%d}}`, k, k, n)))
		want = append(want, fmt.Sprintf("updated e%d", k))
	}

	srv := autoconfigtest.NewServer(testkit.Key)
	defer srv.Close()
	c := testkit.Open(t, testkit.To(srv))
	early := testkit.Watch(stream.Map(c.ChangesUnder(stream.Block[autoconfig.Change](100)), lineOf))
	defer early.Stop()
	for deadline := time.Now().Add(time.Minute); len(c.Stats().Subscribers) == 0 && time.Now().Before(deadline); {
		runtime.Gosched() // who subscribes later is told in another order
	}
	if err := srv.AwaitConnections(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	srv.SendRaw(raw.Bytes())
	alone := testkit.Watch(stream.Map(autoconfig.Observe(testkit.Key, testkit.To(srv)), lineOf))
	defer alone.Stop()
	if err := srv.AwaitConnections(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	srv.SendRaw(raw.Bytes())
	for name, w := range map[string]*testkit.Watcher[string]{"Client": early, "Observe": alone} {
		if got := w.Await(t, len(want)); !slices.Equal(got, want) {
			i := 0
			for got[i] == want[i] {
				i++
			}
			t.Errorf("%s: change %d is %q, want %q", name, i, got[i], want[i])
		}
	}
}

// TestASleeperHoldsOneChangePerEnvironment lets a million patches pass by a subscriber that sleeps. At most
// one change of each environment may wait for it, and when it wakes, the changes must follow from each other
// and lead to the same state, without the loss of a deletion, expiry or Synced.
func TestASleeperHoldsOneChangePerEnvironment(t *testing.T) {
	const environments, known, deleted = 1000, 500, 10
	rounds := 1000
	if testing.Short() || testkit.RaceDetected() {
		rounds = 30
	}
	id := func(i int) autoconfig.EnvironmentID { return autoconfig.EnvironmentID(fmt.Sprint("e", i)) }
	final := testkit.Listing(testkit.Environment(lastID, 1))
	asleep, passed := make(chan struct{}), make(chan struct{})

	srv := autoconfigtest.NewServer(testkit.Key)
	defer srv.Close()
	srv.Next(autoconfigtest.Handle(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		p := pen{bufio.NewWriter(w)}
		p.event("put", decode.PutMessageData{Path: "/", Data: testkit.Listing()})
		// What the sleeper knows before it falls asleep: half of the environments, with two keys each.
		for i := range known {
			p.patch(concurrent(testkit.Environment(id(i), 1), "current", "old"))
		}
		p.flush(w)
		<-asleep
		for i := range known {
			p.patch(concurrent(testkit.Environment(id(i), 2), "current"))
		}
		for i := range environments {
			before, after := p.around(testkit.Environment(id(i), 3))
			for version := 3; version < rounds+3; version++ {
				fmt.Fprint(p, before, version, after)
			}
			if i%(environments/2) < deleted {
				p.event("delete", decode.DeleteMessageData{Path: string("/environments/" + id(i)), Version: rounds + 3})
			} else {
				final.Environments[id(i)] = testkit.Environment(id(i), rounds+2)
			}
		}
		p.event("put", decode.PutMessageData{Path: "/", Data: final})
		p.flush(w)
		<-passed
	}))

	o := testkit.To(srv)
	o.Lag, o.Logger = 100, slog.New(slog.DiscardHandler) // a million lines would take most of the time
	c := testkit.Open(t, o)
	sleeper := testkit.NewMirror("sleeper")
	var sleeping sync.WaitGroup
	sleeping.Go(func() {
		err := c.Changes()(t.Context(), func(change autoconfig.Change) bool {
			if sleeper.Apply(change); len(sleeper.Environments) == known && len(sleeper.Applied) == known+1 {
				close(asleep)
				<-passed
			}
			return change.Kind != autoconfig.Synced || !sleeper.Knows(lastID)
		})
		if err != nil {
			t.Error(err)
		}
	})
	stay(t, testkit.NewMirror("awake"), c.Changes())
	for _, s := range c.Stats().Subscribers {
		const inHand = 64 // what a subscriber has taken counts in its lag
		if synced, last := 1, 1; s.Lag > environments+synced+last+inHand || s.Coalesced < uint64((rounds-1)*environments) {
			t.Errorf("the sleeper's queue: %+v", s)
		}
	}
	close(passed)
	sleeping.Wait()
	sleeper.Check(t, final)
	told := map[string]int{}
	for _, change := range sleeper.Applied {
		told[change.Kind.String()]++
		if change.Kind == autoconfig.KeyExpired && change.Key.SDKKey != "old" {
			t.Errorf("%s expired", string(change.Key.SDKKey))
		}
	}
	want := map[string]int{
		"environment added":   environments - deleted + 1, // the others were deleted before it heard of them
		"environment updated": known - deleted,
		"environment deleted": deleted,
		"key expired":         known - deleted, // of who is deleted, nothing else need be told
		"synced":              2,
	}
	if d := cmp.Diff(want, told); d != "" {
		t.Errorf("what the sleeper was told (-want +got):\n%s", d)
	}
}

// concurrent gives an environment these SDK keys, all but the first of which expire some day.
func concurrent(e autoconfig.EnvironmentRep, keys ...autoconfig.SDKKey) autoconfig.EnvironmentRep {
	some := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	e.SDKKey.Value = keys[0]
	e.SDKKeys = []decode.ConcurrentKeyRep[autoconfig.SDKKey]{{Value: keys[0]}}
	for _, k := range keys[1:] {
		e.SDKKeys = append(e.SDKKeys, decode.ConcurrentKeyRep[autoconfig.SDKKey]{Value: k, Expiry: &some})
	}
	return e
}

// A pen writes events as fast as they are read.
type pen struct{ *bufio.Writer }

func (p pen) event(name string, data any) { fmt.Fprint(p, event(name, testkit.JSON(data))) }

func (p pen) patch(e autoconfig.EnvironmentRep) {
	p.event("patch", decode.PatchMessageData{Path: string("/environments/" + e.EnvID), Data: e})
}

// around returns the patch of an environment, without the number of the version.
func (p pen) around(e autoconfig.EnvironmentRep) (before, after string) {
	var b strings.Builder
	one := pen{bufio.NewWriter(&b)}
	one.patch(e)
	_ = one.Flush()
	before, after, _ = strings.Cut(b.String(), fmt.Sprintf(`"version":%d`, e.Version))
	return before + `"version":`, after
}

func (p pen) flush(w http.ResponseWriter) {
	_ = p.Flush()
	_ = http.NewResponseController(w).Flush()
}

// blocked subscribes and stays in its first value until it is released; then it goes on.
func blocked[T any](o stream.Observable[T]) (w *testkit.Watcher[T], release func()) {
	gate := make(chan struct{})
	return testkit.Watch(stream.Tap(o, func(T) { <-gate })), func() { close(gate) }
}

// TestLag checks how many changes wait for a subscriber before any are merged.
func TestLag(t *testing.T) {
	if autoconfig.DefaultLag != 1024 {
		t.Error("DefaultLag is not the documented one")
	}
	for _, test := range []struct {
		option, wait int
		merged       bool
	}{
		{0, autoconfig.DefaultLag, false}, {0, autoconfig.DefaultLag + 1, true},
		{10, 10, false}, {10, 11, true},
	} {
		testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
			srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
			o := testkit.To(srv)
			o.Lag = test.option
			c := testkit.Open(t, o)
			if err := c.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			slow, release := blocked(c.Changes()) // has taken the state so far, which does not wait
			testkit.Pass(0)
			for i := range test.wait {
				srv.Patch(testkit.Environment("e1", 2+i))
			}
			testkit.Pass(0)
			if merged := c.Stats().Subscribers[0].Coalesced > 0; merged != test.merged {
				t.Errorf("Lag %d, %d changes wait; merged: %t", test.option, test.wait, merged)
			}
			release()
			all := slow.Take()
			if last := all[len(all)-1]; len(all) != test.wait+2 && !test.merged || last.New.Version != test.wait+1 {
				t.Errorf("Lag %d: got %d changes, the last one %v", test.option, len(all), last)
			}
			c.Close()
		})
	}
}

// TestBlockLosesNothing checks that a slow subscriber with stream.Block gets every change.
func TestBlockLosesNothing(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		const patches = 300
		srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
		c := testkit.Open(t, testkit.To(srv))
		slow := testkit.Watch(stream.Tap(c.ChangesUnder(stream.Block[autoconfig.Change](1)), func(autoconfig.Change) { time.Sleep(time.Minute) }))
		synctest.Wait()
		var want []string
		for i := range patches {
			e := testkit.Environment("e1", 2+i)
			srv.Patch(e)
			want = append(want, autoconfig.Change{Kind: autoconfig.EnvironmentUpdated, New: &e}.String())
		}
		testkit.Pass((patches + 2) * time.Minute)
		if got := testkit.Describe(slow.Take()); len(got) != patches+2 || !slices.Equal(got[2:], want) {
			t.Errorf("got %d changes: %q", len(got), got)
		}
	})
}
