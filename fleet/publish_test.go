package fleet_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/fleet"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
)

// TestTakeoverWritesWhatDiffers: one item is new, one newer, one older, one gone, and one is as it was.
func TestTakeoverWritesWhatDiffers(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("same", 1), environment("newer", 1), environment("older", 5), environment("gone", 1))
	js := b.connect()
	first := publish(t, js, up.observe, fleet.Options{Lease: time.Hour})
	m := member(t, js, fleet.Options{})
	ready(t, m)
	seen := testkit.Watch(m.Changes())
	seen.Await(t, 5)
	first.stop(t)
	fresh := newUpstream()
	fresh.put(environment("same", 1), environment("newer", 2), environment("older", 4), environment("new", 1))
	before := lastSequence(t, js, fleet.DefaultBucket)
	second := publish(t, js, fresh.observe, fleet.Options{Lease: time.Hour})
	changes := short(seen.Await(t, 4))
	seen.Stop()
	testkit.Expect(t, "a member", changes, "environment updated newer:2", "environment added new:1", "environment deleted gone", "synced")
	eventually(t, "the status says so", func() bool { return second.status.Get().Written == 4 })
	if n := lastSequence(t, js, fleet.DefaultBucket) - before; n != 1+5 { // the lease, three items, which there are, synced
		t.Errorf("%d messages", n)
	}
}

// TestSavedConfigurationOfASource is not written: it may be older than the bucket.
func TestSavedConfigurationOfASource(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 2))
	js := b.connect()
	first := publish(t, js, up.observe, fleet.Options{Lease: time.Hour})
	m := member(t, js, fleet.Options{})
	ready(t, m)
	seen := testkit.Watch(m.Changes())
	testkit.Expect(t, "a member", short(seen.Await(t, 2)), "environment added a:2", "synced")
	first.stop(t)
	saved := put(environment("a", 1), environment("long gone", 1))
	saved.Put.Cached = true
	fresh := newUpstream()
	fresh.apply(saved)
	publish(t, js, fresh.observe, fleet.Options{Lease: time.Hour})
	eventually(t, "the source is subscribed to", func() bool { n, _ := fresh.counts(); return n == 1 })
	fresh.put(environment("a", 2), environment("b", 1))
	testkit.Expect(t, "a member, later", short(seen.Await(t, 2)), "environment added b:1", "synced")
	seen.Stop()
}

// TestUnusableItemStays: an item that the first put of a new publisher lists in a form that can't be used keeps its last
// good version. What is not listed is gone when that is certain.
func TestUnusableItemStays(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 1), environment("refused", 1), environment("gone", 1))
	js := b.connect()
	o := fleet.Options{Lease: patience}
	first := publish(t, js, up.observe, o)
	m := member(t, js, o)
	ready(t, m)
	seen := testkit.Watch(m.Changes())
	seen.Await(t, 4)
	first.stop(t)
	fresh := newUpstream()
	partial := put(environment("a", 2), environment("refused", 2))
	partial.Put.Environments[1].Err, partial.Put.Environments[1].Rep = &decode.RefusedError{}, nil
	fresh.apply(partial)
	publish(t, js, fresh.observe, o)
	testkit.Expect(t, "after a put with an unusable item", short(seen.Await(t, 2)), "environment updated a:2", "synced")
	fresh.put(environment("a", 2), environment("refused", 3))
	testkit.Expect(t, "after a good put", short(seen.Await(t, 3)), "environment updated refused:3", "environment deleted gone", "synced")
	seen.Stop()
}

// TestTombstonesEnd: the bucket forgets a deletion after the time to live, and no member minds.
func TestTombstonesEnd(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("deleted", 1), environment("omitted", 1), environment("stays", 1))
	js := b.connect()
	publish(t, js, up.observe, fleet.Options{Lease: time.Hour, TombstoneTTL: time.Second})
	m := member(t, js, fleet.Options{})
	ready(t, m)
	seen := testkit.Watch(m.Changes())
	seen.Await(t, 4)
	up.apply(remove("deleted", 2))
	up.put(environment("stays", 1))
	testkit.Expect(t, "the member", short(seen.Await(t, 3)), "environment deleted deleted", "environment deleted omitted", "synced")
	eventually(t, "the bucket has the lease, synced, which items there are, and what stays", func() bool {
		n := 0
		for _, m := range raw(t, js, fleet.DefaultBucket) {
			if len(m.Data) > 0 { // the rest are markers of the server
				n++
			}
		}
		return n == 4
	})
	up.apply(patch(environment("stays", 2)))
	testkit.Expect(t, "the member, later", short(seen.Await(t, 1)), "environment updated stays:2")
	seen.Stop()
}

// TestBucketWithOtherSettings is neither used nor changed.
func TestBucketWithOtherSettings(t *testing.T) {
	b := newBroker(t)
	js := b.connect()
	_, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "theirs", History: 5, TTL: time.Hour, Storage: jetstream.MemoryStorage})
	if err != nil {
		t.Fatal(err)
	}
	err = fleet.Publish(t.Context(), js, testkit.Key, newUpstream().observe, &fleet.Options{Bucket: "theirs", Replicas: 3, Logger: testkit.Censored(t)})
	var other *fleet.BucketError
	if !errors.As(err, &other) || other.Bucket != "theirs" {
		t.Fatal(err)
	}
	var got []string
	for _, d := range other.Differences {
		got = append(got, strings.Join([]string{d.Setting, d.Got, d.Want}, " "))
		if !strings.Contains(err.Error(), d.Setting) {
			t.Errorf("%v does not mention %s", err, d.Setting)
		}
	}
	testkit.Expect(t, "differences", got,
		"max_msgs_per_subject 5 1", "max_age 1h0m0s 0s", "storage Memory File", "num_replicas 1 3", "allow_msg_ttl false true",
		"subject_delete_marker_ttl 0s 1h0m0s", "allow_atomic false true")
	s, err := js.Stream(t.Context(), "KV_theirs")
	if err != nil || s.CachedInfo().Config.MaxMsgsPerSubject != 5 || s.CachedInfo().State.LastSeq != 0 {
		t.Error("changed", err)
	}
}

// TestSourceEnds: its end is that of Publish, which gives up the lease.
func TestSourceEnds(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	js := b.connect()
	errRejected := errors.New("rejected")
	for _, want := range []error{errRejected, nil} {
		source := stream.Fail[diff.Change](errRejected)
		if want == nil {
			source = stream.Empty[diff.Change]()
		}
		p := publish(t, js, source, fleet.Options{Lease: time.Hour})
		p.wait(t)
		if !errors.Is(p.err, want) || p.holding() {
			t.Error(p.err, want)
		}
	}
	p := publish(t, js, up.observe, fleet.Options{Lease: time.Hour})
	eventually(t, "the lease is free", p.holding)
}

// TestLargeItem: what NATS does not take is skipped, and nothing else.
func TestLargeItem(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	large := environment("large", 1)
	large.EnvName = strings.Repeat("x", 2<<20)
	up.put(large, environment("a", 1))
	js := b.connect()
	p := publish(t, js, up.observe, fleet.Options{})
	m := member(t, js, fleet.Options{})
	ready(t, m)
	has(t, m, "a:1")
	eventually(t, "the status says so", func() bool { return p.status.Get().Skipped == 1 })
	large.EnvName, large.Version = "fits", 2
	up.apply(patch(large))
	has(t, m, "a:1 large:2")
}

// TestDamagedEntry: a member refuses it, and the next publisher replaces it.
func TestDamagedEntry(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 1), environment("b", 1))
	js := b.connect()
	o := fleet.Options{Lease: time.Hour}
	first := publish(t, js, up.observe, o)
	ready(t, member(t, js, o))
	first.stop(t)
	var items []*jetstream.RawStreamMsg
	for _, m := range raw(t, js, fleet.DefaultBucket) {
		if strings.Contains(m.Subject, ".item.") {
			items = append(items, m)
		}
	}
	// One entry in the place of another, and one in a place that nobody knows.
	for _, subject := range []string{items[0].Subject, "$KV.autoconfig.item.unknown"} {
		if _, err := js.PublishMsg(t.Context(), &nats.Msg{Subject: subject, Data: items[1].Data}); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := fleet.Source(js, testkit.Key, nil).Count(t.Context()); n != 0 || err == nil || errors.Is(err, fleet.ErrKey) {
		t.Error(n, err)
	}
	publish(t, js, up.observe, o)
	m := member(t, js, o)
	ready(t, m)
	has(t, m, "a:1 b:1")
}

// TestStatus has what a publisher of one item goes through.
func TestStatus(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 1))
	p := publish(t, b.connect(), up.observe, fleet.Options{Lease: time.Hour})
	eventually(t, "the configuration is written", func() bool { return p.status.Get().Written == 2 })
	s := p.status.Get()
	if !s.Holding || s.Since.IsZero() || s.Refused+s.Skipped != 0 || s.Err != nil {
		t.Errorf("%+v", s)
	}
	p.stop(t)
	if s = p.status.Get(); s.Holding || s.Written != 2 || s.Err != nil {
		t.Errorf("%+v", s)
	}
}

func TestWrongOptions(t *testing.T) {
	js := newBroker(t).connect()
	for _, test := range []struct {
		want string
		o    fleet.Options
	}{
		{"Bucket", fleet.Options{Bucket: "a.b"}},
		{"Lease", fleet.Options{Lease: time.Second - 1}},
		{"TombstoneTTL", fleet.Options{TombstoneTTL: time.Second - 1}},
		{"Replicas", fleet.Options{Replicas: -1}},
		{"Replicas", fleet.Options{Replicas: 6}},
		{"Heartbeat", fleet.Options{Heartbeat: 100*time.Millisecond - 1}},
	} {
		want, o := test.want, test.o
		var wrong *autoconfig.OptionError
		if err := fleet.Publish(t.Context(), js, testkit.Key, newUpstream().observe, &o); !errors.As(err, &wrong) || wrong.Option != want {
			t.Error(want, err)
		}
		if _, err := fleet.Source(js, testkit.Key, &o).First(t.Context()); !errors.As(err, &wrong) || wrong.Option != want {
			t.Error(want, err)
		}
	}
	if _, err := fleet.Source(js, "", nil).First(t.Context()); !errors.Is(err, autoconfig.ErrInvalidKey) {
		t.Error(err)
	}
}

// TestDomain: the bucket of another JetStream domain is published to through its prefix.
func TestDomain(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	b.stop()
	b.opts.JetStreamDomain = "hub"
	b.start()
	js, err := jetstream.NewWithDomain(b.connect().Conn(), "hub")
	if err != nil {
		t.Fatal(err)
	}
	up.put(environment("a", 1))
	publish(t, js, up.observe, fleet.Options{})
	m := member(t, js, fleet.Options{})
	ready(t, m)
	has(t, m, "a:1")
}
