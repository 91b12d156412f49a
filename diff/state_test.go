package diff

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relaystream/autoconfig/decode"
)

// A conversation is a State with a clock to set, and what it has emitted since the last look.
type conversation struct {
	t     *testing.T
	state *State
	clock int64 // Unix ms
	log   []string
	// changes are all that there were.
	changes []Change
}

func newConversation(t *testing.T, o Options) *conversation {
	c := &conversation{t: t, clock: 1000}
	o.Stale = func(s Subject, version int) {
		c.log = append(c.log, fmt.Sprintf("stale %s%s@%d", s.Environment, s.Filter, version))
	}
	c.state = NewState(&o)
	c.state.now = func() time.Time { return time.UnixMilli(c.clock) }
	return c
}

// emit logs the changes that one stands for in a form short enough for tables.
func (c *conversation) emit(change Change) {
	c.changes = append(c.changes, change)
	for part := range change.Split {
		c.log = append(c.log, c.line(part))
		if part.Kind == EnvironmentAdded || part.Kind == EnvironmentUpdated {
			c.announced(part.Old, part.New)
		}
	}
}

func (c *conversation) line(change Change) string {
	item := func(e *decode.EnvironmentRep) string {
		if e == nil {
			return ""
		}
		return fmt.Sprintf("%s@%d", string(e.EnvID), e.Version)
	}
	filter := func(f *Filter) string {
		if f == nil {
			return ""
		}
		return fmt.Sprintf("%s@%d", string(f.ID), f.Version)
	}
	kind := strings.Fields(change.Kind.String())
	line := kind[len(kind)-1]
	switch change.Kind {
	case EnvironmentUpdated, FilterUpdated:
		line += " " + item(change.Old) + filter(change.OldFilter) + ">" + item(change.New) + filter(change.NewFilter)
	case KeyExpired:
		line += " " + string(change.Key.SDKKey) + string(change.Key.MobileKey) + " of " + string(change.Subject().Environment) + fmt.Sprint(" at ", c.clock)
	case Synced:
	default:
		line += " " + item(change.Old) + item(change.New) + filter(change.OldFilter) + filter(change.NewFilter)
	}
	return line
}

// announced logs which keys expire that were not known to, or at another time.
func (c *conversation) announced(before, after *decode.EnvironmentRep) {
	var known []Key
	if before != nil {
		known = before.AcceptedKeys()
	}
	for _, k := range after.AcceptedKeys() {
		if !k.Expiry.IsZero() && !slices.Contains(known, k) {
			c.log = append(c.log, fmt.Sprintf("announced %s%s of %s at %d", string(k.SDKKey), string(k.MobileKey), after.EnvID, k.Expiry.UnixMilli()))
		}
	}
}

func (c *conversation) apply(m decode.Message) {
	if err := c.state.Apply(c.t.Context(), &m, c.emit); err != nil {
		c.t.Error(err)
	}
}

// want compares what was emitted since the last call.
func (c *conversation) want(lines ...string) {
	c.t.Helper()
	if !slices.Equal(c.log, lines) {
		c.t.Errorf("got  %q\nwant %q", c.log, lines)
	}
	c.log = nil
}

func entry(e decode.EnvironmentRep) decode.EnvironmentEntry {
	return decode.EnvironmentEntry{ID: e.EnvID, Version: e.Version, Rep: &e}
}

func (c *conversation) patch(e decode.EnvironmentRep) {
	c.apply(decode.Message{Kind: decode.Patch, Environment: entry(e)})
}

func (c *conversation) delete(id decode.EnvironmentID, version int) {
	c.apply(decode.Message{Kind: decode.Delete, Environment: decode.EnvironmentEntry{ID: id, Version: version}})
}

func (c *conversation) put(entries ...decode.EnvironmentEntry) {
	c.apply(decode.Message{Kind: decode.Put, Put: &decode.Listing{Environments: entries}})
}

func env(id string, version int) decode.EnvironmentRep {
	return decode.EnvironmentRep{EnvID: decode.EnvironmentID(id), Version: version}
}

// TestVersionRules has a case for each field of the table in the comment of Table, from the
// messages' side.
func TestVersionRules(t *testing.T) {
	lived := func(c *conversation) { c.patch(env("a", 5)); c.log = nil }
	buried := func(c *conversation) { c.patch(env("a", 4)); c.delete("a", 5); c.log = nil }
	nothing := func(*conversation) {}
	for _, test := range []struct {
		name   string
		before func(*conversation)
		do     func(*conversation)
		want   []string
	}{
		{"upsert of the unknown", nothing, func(c *conversation) { c.patch(env("a", 1)) }, []string{"added a@1"}},
		{"upsert, version 0", nothing, func(c *conversation) { c.patch(env("a", 0)) }, []string{"added a@0"}},
		{"newer upsert of the live", lived, func(c *conversation) { c.patch(env("a", 6)) }, []string{"updated a@5>a@6"}},
		{"equal upsert of the live", lived, func(c *conversation) { c.patch(env("a", 5)) }, []string{"stale a@5"}},
		{"older upsert of the live", lived, func(c *conversation) { c.patch(env("a", 4)) }, []string{"stale a@4"}},
		{"newer upsert of the deleted", buried, func(c *conversation) { c.patch(env("a", 6)) }, []string{"added a@6"}},
		{"equal upsert of the deleted", buried, func(c *conversation) { c.patch(env("a", 5)) }, []string{"stale a@5"}},
		{"delete of the unknown leaves a tombstone", nothing, func(c *conversation) { c.delete("a", 5); c.patch(env("a", 5)) }, []string{"stale a@5"}},
		{"newer delete of the live", lived, func(c *conversation) { c.delete("a", 6); c.patch(env("a", 6)) }, []string{"deleted a@5", "stale a@6"}},
		{"equal delete of the live", lived, func(c *conversation) { c.delete("a", 5) }, []string{"stale a@5"}},
		{"newer delete of the deleted is silent but counts", buried, func(c *conversation) { c.delete("a", 7); c.patch(env("a", 7)) }, []string{"stale a@7"}},
		{"equal delete of the deleted: nothing", buried, func(c *conversation) { c.delete("a", 5); c.patch(env("a", 6)) }, []string{"added a@6"}},
		{"older delete of the deleted: nothing", buried, func(c *conversation) { c.delete("a", 4); c.patch(env("a", 5)) }, []string{"stale a@5"}},
		{"put with the unknown", nothing, func(c *conversation) { c.put(entry(env("a", 1))) }, []string{"added a@1", "synced"}},
		{"put with an equal version is silent", lived, func(c *conversation) { c.put(entry(env("a", 5))) }, []string{"synced"}},
		{"put with a newer version", lived, func(c *conversation) { c.put(entry(env("a", 6))) }, []string{"updated a@5>a@6", "synced"}},
		{"put with an older version", lived, func(c *conversation) { c.put(entry(env("a", 4))) }, []string{"stale a@4", "synced"}},
		{"put with the deleted, newer", buried, func(c *conversation) { c.put(entry(env("a", 6))) }, []string{"added a@6", "synced"}},
		{"put with the deleted, equal", buried, func(c *conversation) { c.put(entry(env("a", 5))) }, []string{"stale a@5", "synced"}},
		{"put without it", lived, func(c *conversation) { c.put() }, []string{"deleted a@5", "synced"}},
		{"put without it, twice: deleted once", lived, func(c *conversation) { c.put(); c.put() }, []string{"deleted a@5", "synced", "synced"}},
		{"put without it forgets the version", lived, func(c *conversation) { c.put(); c.patch(env("a", 5)) }, []string{"deleted a@5", "synced", "added a@5"}},
		{"put without it forgets a tombstone", buried, func(c *conversation) { c.put(); c.patch(env("a", 1)) }, []string{"synced", "added a@1"}},
		{"an entry with an error is listed but not applied", lived,
			func(c *conversation) {
				c.put(decode.EnvironmentEntry{ID: "a", Version: 9, Err: decode.ErrWrongID})
				c.patch(env("a", 6))
			}, []string{"synced", "updated a@5>a@6"}},
		{"an unknown entry with an error leaves nothing behind", nothing,
			func(c *conversation) {
				c.put(decode.EnvironmentEntry{ID: "a", Version: 9, Err: decode.ErrWrongID})
				c.patch(env("a", 1))
			}, []string{"synced", "added a@1"}},
		{"of two entries the last counts", nothing, func(c *conversation) { c.put(entry(env("a", 9)), entry(env("a", 2))) }, []string{"added a@2", "synced"}},
		{"additions in wire order, then deletions in order of addition", func(c *conversation) { c.put(entry(env("z", 1)), entry(env("y", 1))); c.log = nil },
			func(c *conversation) { c.put(entry(env("c", 1)), entry(env("a", 1)), entry(env("b", 1))) },
			[]string{"added c@1", "added a@1", "added b@1", "deleted z@1", "deleted y@1", "synced"}},
		{"what the receiver was known to have newer is stale", lived,
			func(c *conversation) {
				c.apply(decode.Message{Kind: decode.Patch, Environment: decode.EnvironmentEntry{ID: "a", Version: 3}})
				c.put(decode.EnvironmentEntry{ID: "a", Version: 3})
			}, []string{"stale a@3", "stale a@3", "synced"}},
		{"also of what is known to be older the last entry counts", lived,
			func(c *conversation) { c.put(decode.EnvironmentEntry{ID: "a", Version: 3}, entry(env("a", 6))) }, []string{"updated a@5>a@6", "synced"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newConversation(t, Options{})
			test.before(c)
			test.do(c)
			c.want(test.want...)
		})
	}
}

func TestFiltersFollowEnvironments(t *testing.T) {
	c := newConversation(t, Options{})
	listed := func(id string, version int) decode.FilterEntry {
		return decode.FilterEntry{ID: decode.FilterID(id), Version: version, Rep: &decode.FilterRep{Version: version}}
	}
	put := func(err error, filters ...decode.FilterEntry) {
		c.apply(decode.Message{Kind: decode.Put, Put: &decode.Listing{Environments: []decode.EnvironmentEntry{entry(env("e", 1))}, Filters: filters, FiltersErr: err}})
	}
	put(nil, listed("f", 1), listed("g", 1))
	c.want("added e@1", "added f@1", "added g@1", "synced")
	put(decode.ErrUnknownPath) // filters that can't be read take nothing away
	c.want("synced")
	put(nil, decode.FilterEntry{ID: "f", Err: decode.ErrUnknownPath}, listed("h", 1))
	c.want("added h@1", "deleted g@1", "synced")
	c.apply(decode.Message{Kind: decode.Patch, Filter: listed("f", 2)})
	c.apply(decode.Message{Kind: decode.Patch, Filter: listed("f", 2)})
	c.apply(decode.Message{Kind: decode.Delete, Filter: decode.FilterEntry{ID: "f", Version: 3}})
	c.want("updated f@1>f@2", "stale f@2", "deleted f@2")
}

// TestTombstonesAreBounded covers the number that are kept, the default of that, and that they keep
// nothing of the item.
func TestTombstonesAreBounded(t *testing.T) {
	c := newConversation(t, Options{MaxTombstones: 2})
	for i := range 5 {
		c.delete(decode.EnvironmentID(fmt.Sprint(i)), 1)
	}
	if n := c.state.Stats().Tombstones; n != 2 {
		t.Errorf("%d tombstones", n)
	}
	c.patch(env("2", 1)) // forgotten
	c.patch(env("3", 1)) // the older of the two that are left
	c.want("added 2@1", "stale 3@1")

	if limit := NewState(nil).environments.limit; limit != 65536 {
		t.Errorf("the default limit is %d", limit)
	}
	c.patch(env("x", 1))
	c.delete("x", 2)
	if s := c.state.environments.slots["x"]; s.value != (environment{}) {
		t.Error("a tombstone keeps its item")
	}
}

func TestStats(t *testing.T) {
	c := newConversation(t, Options{})
	e := env("a", 1)
	e.SDKKey.Expiring = decode.ExpiringKeyRep{Value: "old", Timestamp: 2000}
	c.put(entry(e), entry(env("b", 1)))
	c.put(entry(e), entry(env("b", 1)))
	c.patch(env("b", 1))
	c.delete("c", 1)
	c.apply(decode.Message{Kind: decode.Ignored, Err: decode.ErrUnknownEvent})
	wrong := entry(env("b", 1))
	wrong.Rep, wrong.Err = nil, decode.ErrWrongID
	c.apply(decode.Message{Kind: decode.Put, Put: &decode.Listing{
		Environments: []decode.EnvironmentEntry{wrong, wrong, entry(e), wrong},
		Filters:      []decode.FilterEntry{{ID: "f", Err: decode.ErrWrongID}, {ID: "f", Err: decode.ErrWrongID}},
	}})
	want := Stats{Environments: 2, PendingExpiries: 1, Puts: 3, Patches: 1, Deletes: 1, Ignored: 1,
		Applied: 2, Stale: 1, Unchanged: 3, Skipped: 2}
	check := func() {
		t.Helper()
		if got := c.state.Stats(); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	check()
	c.at(2000)
	want.PendingExpiries, want.Expired = 0, 1
	check()
	c.clock = 1000
	c.put(entry(e), entry(env("b", 2))) // brings the key back, and updates the other
	want.PendingExpiries, want.Puts, want.Applied = 1, 4, 4
	check()
	e.Version, e.SDKKey.Expiring.Timestamp = 2, 900
	c.patch(e)
	want.PendingExpiries, want.Patches, want.Applied, want.Expired = 0, 2, 5, 2
	check()
	e.Version, e.SDKKey.Expiring = 3, decode.ExpiringKeyRep{} // the key has expired already
	c.patch(e)
	want.Patches, want.Applied = 3, 6
	check()
	filter := decode.FilterEntry{ID: "f", Version: 1, Rep: &decode.FilterRep{Version: 1}}
	for range 2 {
		c.apply(decode.Message{Kind: decode.Put, Put: &decode.Listing{Environments: []decode.EnvironmentEntry{entry(e)}, Filters: []decode.FilterEntry{filter}}})
	}
	want.Environments, want.Filters, want.Puts, want.Applied, want.Unchanged = 1, 1, 6, 8, 6
	check()
	filter.Version, filter.Rep = 2, &decode.FilterRep{Version: 2}
	c.apply(decode.Message{Kind: decode.Patch, Filter: filter})
	c.apply(decode.Message{Kind: decode.Delete, Filter: decode.FilterEntry{ID: "f", Version: 3}})
	c.apply(decode.Message{Kind: decode.Delete, Filter: decode.FilterEntry{ID: "f", Version: 2}})
	c.delete("a", 4)
	want.Environments, want.Filters, want.Tombstones, want.Patches, want.Deletes, want.Applied = 0, 0, 2, 4, 4, 11
	check()
	c.patch(env("b", 1))
	for _, id := range []decode.EnvironmentID{"a", "b", "c"} { // a tombstone, an environment, and what is not known
		c.apply(decode.Message{Kind: decode.Omit, Environment: decode.EnvironmentEntry{ID: id}})
	}
	c.apply(decode.Message{Kind: decode.Complete})
	want.Tombstones, want.Patches, want.Omits, want.Completes, want.Applied = 1, 5, 3, 1, 13
	check()
}

// TestVersionOfTheItemCounts, not that of its entry, which a source of one's own may have left out: no change is lost.
func TestVersionOfTheItemCounts(t *testing.T) {
	c := newConversation(t, Options{})
	for version := 1; version <= 3; version++ {
		e, f := env("a", version), decode.FilterRep{Version: version}
		environment, filter := decode.EnvironmentEntry{ID: "a", Rep: &e}, decode.FilterEntry{ID: "f", Rep: &f}
		if version == 2 {
			c.apply(decode.Message{Kind: decode.Patch, Environment: environment})
			c.apply(decode.Message{Kind: decode.Patch, Filter: filter})
			continue
		}
		c.apply(decode.Message{Kind: decode.Put, Put: &decode.Listing{
			Environments: []decode.EnvironmentEntry{environment}, Filters: []decode.FilterEntry{filter},
		}})
	}
	c.want("added a@1", "added f@1", "synced", "updated a@1>a@2", "updated f@1>f@2", "updated a@2>a@3", "updated f@2>f@3", "synced")
}

// TestSnapshot demands that a snapshot makes the state from nothing, in order, and names only keys
// that are accepted still.
func TestSnapshot(t *testing.T) {
	c := newConversation(t, Options{})
	if s := c.state.Snapshot(); len(s) != 0 {
		t.Errorf("empty state: %v", s)
	}
	e := env("a", 1)
	e.SDKKey.Expiring = decode.ExpiringKeyRep{Value: "old", Timestamp: 2000}
	c.put(entry(env("b", 1)), entry(e))
	c.patch(env("b", 2))
	c.clock = 3000
	c.state.Expire(c.emit)
	c.log = nil
	snapshot := c.state.Snapshot()
	for _, change := range snapshot {
		c.emit(change)
	}
	c.want("added b@2", "added a@1", "synced")
	if key := snapshot[1].New.SDKKey.Expiring; key.Value != "" || e.SDKKey.Expiring.Value != "old" {
		t.Error("the snapshot names an expired key, or the message's item was modified")
	}
}

// TestOmitForgetsTheVersion of an environment and of a tombstone, also of filters: the same version is news again.
func TestOmitForgetsTheVersion(t *testing.T) {
	c := newConversation(t, Options{})
	omit := func() {
		c.apply(decode.Message{Kind: decode.Omit, Environment: decode.EnvironmentEntry{ID: "a"}})
		c.apply(decode.Message{Kind: decode.Omit, Filter: decode.FilterEntry{ID: "f"}})
	}
	patch := func() {
		c.patch(env("a", 3))
		c.apply(decode.Message{Kind: decode.Patch, Filter: decode.FilterEntry{ID: "f", Version: 3, Rep: &decode.FilterRep{Version: 3}}})
	}
	patch()
	omit()
	omit() // nothing is known any more
	patch()
	c.want("added a@3", "added f@3", "deleted a@3", "deleted f@3", "added a@3", "added f@3")
	c.delete("a", 5)
	c.apply(decode.Message{Kind: decode.Delete, Filter: decode.FilterEntry{ID: "f", Version: 5}})
	omit()
	patch()
	c.want("deleted a@3", "deleted f@3", "added a@3", "added f@3")
}

// TestComplete checks that a Complete is the end of a configuration without a put: late subscribers are synced, keys
// whose time has come expire before it, what was saved is not of interest any more, and nothing is deleted.
func TestComplete(t *testing.T) {
	c := newConversation(t, Options{})
	c.apply(decode.Message{Kind: decode.Put, Put: &decode.Listing{Cached: true, Environments: []decode.EnvironmentEntry{entry(env("a", 1))}}})
	e := env("b", 1)
	e.Lingering = []decode.ExpiringKeyRep{{Value: "old", Timestamp: 2000}}
	c.patch(e)
	c.want("added a@1", "synced", "added b@1", "announced old of b at 2000")
	c.clock = 2000
	c.apply(decode.Message{Kind: decode.Complete})
	c.apply(decode.Message{Kind: decode.Put, Put: &decode.Listing{Cached: true}})
	c.want("expired old of b at 2000", "synced")
	snapshot := c.state.Snapshot()
	if last := snapshot[len(snapshot)-1]; len(snapshot) != 3 || last.Kind != Synced || last.Cached {
		t.Errorf("the snapshot is %v", snapshot)
	}
}

// TestUnusableEntriesAreSkipped: they change nothing, and leave nothing behind.
func TestUnusableEntriesAreSkipped(t *testing.T) {
	known, wrong, nameless := entry(env("b", 1)), entry(env("a", 9)), entry(env("", 9))
	wrong.ID = "b"
	filter, empty := decode.FilterEntry{ID: "f", Version: 1, Rep: &decode.FilterRep{Version: 1}}, decode.FilterEntry{ID: "f", Version: 9}
	put := func(f decode.FilterEntry, environments ...decode.EnvironmentEntry) decode.Message {
		return decode.Message{Kind: decode.Put, Put: &decode.Listing{Environments: environments, Filters: []decode.FilterEntry{f}}}
	}
	for _, test := range []struct {
		name string
		m    decode.Message
	}{
		{"a patch with the ID of another environment", decode.Message{Kind: decode.Patch, Environment: wrong}},
		{"a patch without an ID", decode.Message{Kind: decode.Patch, Environment: nameless}},
		{"a patch of nothing", decode.Message{Kind: decode.Patch}},
		{"a patch with an error", decode.Message{Kind: decode.Patch, Environment: decode.EnvironmentEntry{ID: "b", Version: 9, Err: decode.ErrWrongID}}},
		{"a patch of a filter without a Rep", decode.Message{Kind: decode.Patch, Filter: empty}},
		{"a delete of nothing", decode.Message{Kind: decode.Delete}},
		{"an omit of nothing", decode.Message{Kind: decode.Omit}},
		{"a put with the ID of another environment", put(filter, wrong)},
		{"a put with an entry without an ID", put(filter, known, nameless)},
		{"a put with a filter without a Rep", put(empty, known)},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newConversation(t, Options{})
			c.apply(put(filter, known))
			c.log = nil
			c.apply(test.m)
			if test.m.Kind == decode.Put {
				c.want("synced")
			} else {
				c.want()
			}
			if n := c.state.Stats().Skipped; n != 1 {
				t.Errorf("%d entries are counted as skipped", n)
			}
			if partial := c.state.synced.Partial; partial != (test.m.Kind == decode.Put) {
				t.Errorf("Synced says that it is partial: %t", partial)
			}
			if n := len(c.state.environments.slots); n != 1 {
				t.Errorf("the table has %d slots", n)
			}
		})
	}
}

// TestAnUnusableEntryOfAnUnknownItem must not stay in the table.
func TestAnUnusableEntryOfAnUnknownItem(t *testing.T) {
	c := newConversation(t, Options{})
	c.put(decode.EnvironmentEntry{ID: "x", Err: decode.ErrWrongID}, decode.EnvironmentEntry{ID: "y", Version: 1}, entry(env("a", 1)))
	if n := len(c.state.environments.slots); n != 1 {
		t.Errorf("the table has %d slots", n)
	}
}

// TestSavedPut: a saved configuration counts only as the first one.
func TestSavedPut(t *testing.T) {
	saved := func(c *conversation) {
		listing := &decode.Listing{Environments: []decode.EnvironmentEntry{entry(env("s", 1))}, Cached: true}
		c.apply(decode.Message{Kind: decode.Put, Put: listing})
	}
	for _, test := range []struct {
		name   string
		before func(c *conversation)
		want   []string
	}{
		{"first", func(*conversation) {}, []string{"added s@1", "synced"}},
		{"again", func(c *conversation) { saved(c); c.log = nil }, []string{"synced"}},
		{"after an event that was ignored", func(c *conversation) { c.apply(decode.Message{}) }, []string{"added s@1", "synced"}},
		{"after a put", func(c *conversation) { c.put(); c.log = nil }, nil},
		{"after a patch", func(c *conversation) { c.patch(env("a", 1)); c.log = nil }, nil},
		{"after a delete", func(c *conversation) { c.delete("a", 1) }, nil},
		{"after an omit", func(c *conversation) {
			c.apply(decode.Message{Kind: decode.Omit, Environment: decode.EnvironmentEntry{ID: "a"}})
		}, nil},
		{"after a complete", func(c *conversation) { c.apply(decode.Message{Kind: decode.Complete}); c.log = nil }, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newConversation(t, Options{})
			test.before(c)
			before := c.state.Stats()
			saved(c)
			c.want(test.want...)
			before.Ignored++
			if test.want == nil && c.state.Stats() != before {
				t.Errorf("it counts as %+v, after %+v", c.state.Stats(), before)
			}
			if snapshot := c.state.Snapshot(); test.want != nil && !snapshot[len(snapshot)-1].Cached {
				t.Error("the snapshot does not say that it is a saved one")
			}
		})
	}
	c := newConversation(t, Options{})
	c.apply(decode.Message{Kind: decode.Put})
	if c.want(); c.state.Stats().Ignored != 1 {
		t.Error("a put without a listing is not counted as ignored")
	}
}

// TestInterruptedPut ends the context after each number of changes: of environments, filters and deletions.
func TestInterruptedPut(t *testing.T) {
	const n = 200
	before, after := new(decode.Listing), new(decode.Listing)
	list := func(to *decode.Listing, prefix string) {
		for i := range n {
			to.Environments = append(to.Environments, entry(env(fmt.Sprint(prefix, i), 1)))
			to.Filters = append(to.Filters, decode.FilterEntry{ID: decode.FilterID(fmt.Sprint(prefix, i)), Version: 1, Rep: new(decode.FilterRep)})
		}
	}
	list(before, "old")
	list(after, "new")
	reason := errors.New("reason")
	for _, changes := range []int{0, 1, n, n + 1, 2 * n, 2*n + 1, 3 * n, 3*n + 1} {
		c := newConversation(t, Options{})
		c.apply(decode.Message{Kind: decode.Put, Put: before})
		ctx, cancel := context.WithCancelCause(t.Context())
		emitted := 0
		if changes == 0 {
			cancel(reason)
		}
		err := c.state.Apply(ctx, &decode.Message{Kind: decode.Put, Put: after}, func(Change) {
			if emitted++; emitted == changes {
				cancel(reason)
			}
		})
		if err != reason || emitted > changes+64 || changes == 0 && emitted > 0 {
			t.Errorf("interrupted after %d changes: %v after %d", changes, err, emitted)
		}
		for _, change := range c.state.Snapshot() {
			if change.Kind == Synced {
				t.Errorf("interrupted after %d changes, and synced", changes)
			}
		}
		if slots, live := len(c.state.environments.slots), c.state.environments.Len(); slots != live {
			t.Errorf("interrupted after %d changes: %d slots for %d environments", changes, slots, live)
		}
		c.apply(decode.Message{Kind: decode.Put, Put: after})
		want := NewState(nil)
		_ = want.Apply(t.Context(), &decode.Message{Kind: decode.Put, Put: after}, discard)
		if got, want := lines(c, c.state.Snapshot()), lines(c, want.Snapshot()); !slices.Equal(got, want) {
			t.Errorf("interrupted after %d changes, and then put: %q, want %q", changes, got, want)
		}
	}
}

// TestUnchangedOfAPut: a put may list an environment several times, and be interrupted while nothing changes.
func TestUnchangedOfAPut(t *testing.T) {
	c := newConversation(t, Options{})
	listing := new(decode.Listing)
	for i := range 200 {
		listing.Environments = append(listing.Environments, entry(env(fmt.Sprint(i), 1)))
	}
	c.apply(decode.Message{Kind: decode.Put, Put: listing})
	again := decode.Message{Kind: decode.Put, Put: &decode.Listing{Unchanged: decode.Unchanged{nil, {listing.Environments[0].Rep}}}}
	for _, e := range listing.Environments {
		again.Put.Unchanged = append(again.Put.Unchanged, []*decode.EnvironmentRep{e.Rep})
	}
	again.Put.Environments = listing.Environments[:1] // counts for nothing
	c.changes = nil
	c.apply(again)
	if got := c.state.Stats(); got.Unchanged != 200 || got.Environments != 200 || len(c.changes) != 1 {
		t.Errorf("%+v after %d changes", got, len(c.changes))
	}
	again.Put.Environments = nil
	reason := errors.New("reason")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	if err := c.state.Apply(ctx, &again, discard); err != reason {
		t.Error(err)
	}
}

func lines(c *conversation, changes []Change) (lines []string) {
	for _, change := range changes {
		lines = append(lines, c.line(change))
	}
	slices.Sort(lines)
	return lines
}

// TestDeletedTellsHow: at which version, or that a put omitted the item.
func TestDeletedTellsHow(t *testing.T) {
	c := newConversation(t, Options{})
	listing := &decode.Listing{Environments: []decode.EnvironmentEntry{entry(env("a", 1)), entry(env("b", 1))}}
	for _, id := range []decode.FilterID{"f", "g"} {
		listing.Filters = append(listing.Filters, decode.FilterEntry{ID: id, Version: 1, Rep: &decode.FilterRep{Version: 1}})
	}
	c.apply(decode.Message{Kind: decode.Put, Put: listing})
	c.changes = nil
	c.delete("a", 5)
	c.apply(decode.Message{Kind: decode.Delete, Filter: decode.FilterEntry{ID: "f", Version: 6}})
	c.put()
	c.apply(decode.Message{Kind: decode.Put, Put: listing})
	c.changes = slices.DeleteFunc(c.changes, func(change Change) bool { return change.Old == nil && change.OldFilter == nil && change.Kind != Synced })
	c.apply(decode.Message{Kind: decode.Omit, Environment: decode.EnvironmentEntry{ID: "a", Version: 7}})
	c.apply(decode.Message{Kind: decode.Omit, Filter: decode.FilterEntry{ID: "f", Version: 7}})
	type how struct {
		subject Subject
		version int
		omitted bool
	}
	var got []how
	for _, change := range c.changes {
		got = append(got, how{change.Subject(), change.Version, change.Omitted})
	}
	want := []how{{Subject{Environment: "a"}, 5, false}, {Subject{Filter: "f"}, 6, false}, {Subject{Environment: "b"}, 0, true}, {Subject{Filter: "g"}, 0, true}, {}, {}, {Subject{Environment: "a"}, 0, true}, {Subject{Filter: "f"}, 0, true}}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
