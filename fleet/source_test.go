package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/fleet"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/streamtest"
)

func TestSourceConforms(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 1), environment("b", 1))
	js := b.connect()
	p := publish(t, js, up.observe, fleet.Options{Lease: time.Hour})
	ready(t, member(t, js, fleet.Options{}))
	up.apply(patch(environment("a", 2)))
	eventually(t, "the patch is written", func() bool { return p.status.Get().Written == 4 })
	a, bb := environment("a", 2), environment("b", 1)
	want := put(bb, a) // in the order in which they were written
	streamtest.Test(t, func() stream.Observable[decode.Message] {
		return fleet.Source(js, testkit.Key, nil)
	}, []decode.Message{want}, &streamtest.Options{Endless: true, RealTime: true})
	p.stop(t)
	eventually(t, "no consumer is left", func() bool { return b.consumers(js, fleet.DefaultBucket) <= 1 }) // that of the member
}

// TestBucketIsOpaque: nothing in the bucket is plaintext, and no name reveals an ID or a key.
func TestBucketIsOpaque(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("env-one", 1), environment("env-two", 1), environment("env-three", 1))
	js := b.connect()
	p := publish(t, js, up.observe, fleet.Options{Lease: time.Hour}) // a renewal would move among the messages
	m := member(t, js, fleet.Options{})
	ready(t, m)
	up.apply(remove("env-one", 2))
	up.put(environment("env-three", 1))
	has(t, m, "env-three:1")
	eventually(t, "all is written", func() bool { return p.status.Get().Written == 7 })
	messages := raw(t, js, fleet.DefaultBucket)
	if len(messages) != 6 { // lease, synced, which items there are, an item, a tombstone and a marker
		t.Errorf("%d messages", len(messages))
	}
	for _, m := range messages {
		all := fmt.Append(nil, m.Subject, m.Header, string(m.Data))
		for _, secret := range []string{"env-", "sdk-", "mob-", testkit.Key, "proj", "Project"} {
			if bytes.Contains(all, []byte(secret)) {
				t.Errorf("%s shows %s", m.Subject, secret)
			}
		}
		if len(m.Data) < 80 {
			t.Errorf("%s is not sealed", m.Subject)
		}
	}
}

// raw returns the messages in a bucket.
func raw(t *testing.T, js jetstream.JetStream, bucket string) (all []*jetstream.RawStreamMsg) {
	t.Helper()
	s, err := js.Stream(t.Context(), "KV_"+bucket)
	if err != nil {
		t.Fatal(err)
	}
	state := s.CachedInfo().State
	for sequence := state.FirstSeq; sequence <= state.LastSeq; sequence++ {
		m, err := s.GetMsg(t.Context(), sequence)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

func TestWrongKey(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 1))
	js := b.connect()
	p := publish(t, js, up.observe, fleet.Options{Lease: time.Hour}) // it does not renew it meanwhile
	ready(t, member(t, js, fleet.Options{}))
	const wrong = "rel-another-key"
	check := func(when string) {
		t.Helper()
		n, err := fleet.Source(js, wrong, nil).Count(t.Context())
		if n != 0 || !errors.Is(err, fleet.ErrKey) {
			t.Errorf("%s: a member gets %d messages, %v", when, n, err)
		}
		_, before := up.counts()
		writes := lastSequence(t, js, fleet.DefaultBucket)
		err = fleet.Publish(t.Context(), js, wrong, up.observe, &fleet.Options{Logger: testkit.Censored(t)})
		if _, after := up.counts(); !errors.Is(err, fleet.ErrKey) || after != before {
			t.Errorf("%s: a publisher: %v, %d subscriptions to the service", when, err, after-before)
		}
		// A lease under the wrong key would end those that stand by with the right one.
		if n := lastSequence(t, js, fleet.DefaultBucket) - writes; n != 0 {
			t.Errorf("%s: a publisher writes %d messages", when, n)
		}
	}
	check("while another holds the lease")
	p.stop(t)
	check("while nobody holds the lease")
	// A secret stands in the place of the key.
	if _, err := fleet.Source(js, wrong, &fleet.Options{Secret: testkit.Key}).First(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestEmptyBucket: no configuration is not an empty one. A missing bucket is an error until somebody creates it.
func TestEmptyBucket(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	js := b.connect()
	m := member(t, js, fleet.Options{})
	eventually(t, "the member says what is wrong", func() bool { return errors.Is(status(t, m).Err, jetstream.ErrStreamNotFound) })
	p := publish(t, js, up.observe, fleet.Options{})
	eventually(t, "the lease is taken", p.holding)
	eventually(t, "the member follows", func() bool { return b.consumers(js, fleet.DefaultBucket) == 1 })
	up.apply(patch(environment("a", 1))) // not complete
	if s := m.Snapshot(); s.Synced || len(s.Environments) > 0 {
		t.Error(s)
	}
	up.put(environment("a", 1))
	ready(t, m)
	has(t, m, "a:1")
	up.put()
	has(t, m, "")
}

// TestMissingItem: a bucket from which somebody has removed an item is not taken for a complete configuration.
func TestMissingItem(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 1), environment("b", 1))
	js := b.connect()
	o := fleet.Options{Lease: patience}
	p := publish(t, js, up.observe, o)
	eventually(t, "the configuration is written", func() bool { return p.status.Get().Written == 3 })
	for _, m := range raw(t, js, fleet.DefaultBucket) {
		if strings.Contains(m.Subject, ".item.") {
			s, err := js.Stream(t.Context(), "KV_"+fleet.DefaultBucket)
			if err == nil {
				err = s.Purge(t.Context(), jetstream.WithPurgeSubject(m.Subject))
			}
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	source := fleet.Source(js, testkit.Key, fleet.WithHeartbeat(o, 200*time.Millisecond))
	eventually(t, "the member finds that an item is missing", func() bool { // and not that a busy server is silent
		_, err := source.First(t.Context())
		return errors.Is(err, fleet.ErrIncomplete)
	})
	p.stop(t)
	publish(t, js, up.observe, o)
	m := member(t, js, o)
	ready(t, m)
	has(t, m, "a:1 b:1")
}

// TestSameVersionAgain: what a put omitted comes back at the same version, or an older one.
func TestSameVersionAgain(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 5), environment("b", 1))
	js := b.connect()
	publish(t, js, up.observe, fleet.Options{})
	m := member(t, js, fleet.Options{})
	ready(t, m)
	for _, version := range []int{5, 3, 4, 1} {
		up.put(environment("b", 1))
		has(t, m, "b:1")
		up.put(environment("a", version), environment("b", 1))
		has(t, m, fmt.Sprintf("a:%d b:1", version))
	}
}

// TestMergedChanges: what a source that merges changes has omitted, or deleted and forgotten, and added again at an older
// version reaches a member that saw the item before.
func TestMergedChanges(t *testing.T) {
	b := newBroker(t)
	js := b.connect()
	changes := make(chan autoconfig.Change, 8)
	publish(t, js, stream.FromChan(changes), fleet.Options{})
	env := func(version int) *autoconfig.EnvironmentRep {
		e := environment("a", version)
		return &e
	}
	m := member(t, js, fleet.Options{})
	changes <- autoconfig.Change{Kind: diff.Synced}
	ready(t, m)
	for _, c := range []autoconfig.Change{
		{Kind: diff.EnvironmentAdded, New: env(5)},
		{Kind: diff.EnvironmentUpdated, Old: env(5), New: env(3)},
		{Kind: diff.EnvironmentDeleted, Old: env(3), Version: 6},
		{Kind: diff.EnvironmentAdded, New: env(2)},
	} {
		changes <- c
		want := ""
		if c.New != nil {
			want = fmt.Sprint("a:", c.New.Version)
		}
		has(t, m, want)
	}
}

// TestOmissionWhileAway: a member that was away learns that an item was omitted and came back at an older version.
func TestOmissionWhileAway(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 5), environment("b", 1))
	js := b.connect()
	publish(t, js, up.observe, fleet.Options{})
	reference := member(t, js, fleet.Options{})
	ready(t, reference)
	source, state := fleet.Source(js, testkit.Key, nil), diff.NewState(nil)
	// follow applies the messages until the state is that of the service.
	follow := func(want string) (kinds []string) {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		err := source(ctx, func(m decode.Message) bool {
			_ = state.Apply(ctx, &m, func(c diff.Change) { kinds = append(kinds, c.Kind.String()) })
			return versions(diff.SnapshotOf(state.Snapshot())) != want
		})
		if err != nil {
			t.Fatal(err)
		}
		return kinds
	}
	follow("a:5 b:1")
	up.put(environment("b", 1))
	up.put(environment("b", 1), environment("a", 2))
	has(t, reference, "a:2 b:1")
	testkit.Expect(t, "after an omission", follow("a:2 b:1"), "environment deleted", "environment added", "synced")
	up.apply(patch(environment("a", 3)))
	has(t, reference, "a:3 b:1")
	testkit.Expect(t, "after an update", follow("a:3 b:1"), "environment updated", "synced")
}

// TestStopBeforePut: a member that stops before it has got all that precedes the Put is told the rest next time, and
// nothing of an item that has always been there.
func TestStopBeforePut(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 5))
	js := b.connect()
	publish(t, js, up.observe, fleet.Options{})
	m := member(t, js, fleet.Options{})
	ready(t, m)
	up.apply(patch(environment("b", 5)), patch(environment("stays", 1)))
	has(t, m, "a:5 b:5 stays:1")
	source := fleet.Source(js, testkit.Key, nil)
	if first, err := source.First(t.Context()); err != nil || first.Kind != decode.Put {
		t.Fatal(first, err)
	}
	up.put(environment("stays", 1))
	up.put(environment("stays", 1), environment("a", 1), environment("b", 1))
	up.apply(patch(environment("stays", 2)))
	has(t, m, "a:1 b:1 stays:2")
	if m, err := source.First(t.Context()); err != nil || m.Kind != decode.Omit {
		t.Error(m, err)
	}
	var omitted []decode.EnvironmentID
	err := source(t.Context(), func(m decode.Message) bool {
		if m.Kind == decode.Omit {
			omitted = append(omitted, m.Environment.ID)
		}
		return m.Kind == decode.Omit
	})
	slices.Sort(omitted)
	if err != nil || !slices.Equal(omitted, []decode.EnvironmentID{"a", "b"}) {
		t.Error(omitted, err)
	}
}

// TestLingeringKeys: a member that comes later knows the keys that no message names any more.
func TestLingeringKeys(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	e := environment("a", 1)
	rotate := func(version int) {
		e.SDKKey.Expiring = decode.ExpiringKeyRep{Value: e.SDKKey.Value, Timestamp: time.Now().Add(time.Hour).UnixMilli()}
		e.SDKKey.Value, e.Version = autoconfig.SDKKey(fmt.Sprint("sdk-a", version)), version
		up.apply(patch(e))
	}
	up.put(e)
	rotate(2)
	rotate(3)
	js := b.connect()
	first := publish(t, js, up.observe, fleet.Options{})
	early := member(t, js, fleet.Options{})
	ready(t, early)
	first.stop(t)
	// The next publisher's source is new, and does not know them.
	fresh := newUpstream()
	fresh.put(e)
	publish(t, js, fresh.observe, fleet.Options{})
	rotate(4)
	fresh.apply(patch(e))
	has(t, early, "a:4")
	late := member(t, js, fleet.Options{})
	ready(t, late)
	has(t, late, "a:4")
	for name, c := range map[string]*autoconfig.Client{"early": early, "late": late} {
		if keys := c.Snapshot().Environments[0].AcceptedKeys(); len(keys) != 5 { // sdk-a, 2, 3, 4 and the mobile key
			t.Errorf("%s: %v", name, keys)
		}
	}
}
