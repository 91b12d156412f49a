package diff

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/stream"
)

// A ring is a set of keys with their expiries in Unix ms, 0 being never. Its Keys are without Expiry.
type ring map[Key]int64

// accepted returns the keys that an item accepts.
func accepted(e *decode.EnvironmentRep) ring {
	keys := ring{}
	for _, k := range e.AcceptedKeys() {
		keys[withoutTime(k)] = expiry(&k)
	}
	return keys
}

// until returns the keys that have not expired at a time.
func (r ring) until(clock int64) ring {
	rest := ring{}
	for k, at := range r {
		if at == 0 || at > clock {
			rest[k] = at
		}
	}
	return rest
}

// A modelKeys is what the protocol says of the keys of an environment, written down with no thought of cost.
type modelKeys struct {
	version  int
	known    ring // as the last message named them, with those that linger
	accepted ring // those of them that have not expired
}

// name applies a newer version of an environment.
func (m *modelKeys) name(e *decode.EnvironmentRep, clock int64) {
	named := ring{}
	add := func(k Key, at int64) {
		if _, ok := named[k]; !ok && k != (Key{}) {
			named[k] = at
		}
	}
	add(Key{SDKKey: e.SDKKey.Value}, 0)
	add(Key{MobileKey: e.MobKey}, 0)
	for _, k := range e.SDKKeys {
		add(Key{SDKKey: k.Value}, orNever(k.Expiry))
	}
	for _, k := range e.MobileKeys {
		add(Key{MobileKey: k.Value}, orNever(k.Expiry))
	}
	if len(e.SDKKeys) == 0 {
		add(Key{SDKKey: e.SDKKey.Expiring.Value}, e.SDKKey.Expiring.Timestamp)
		linger := func(k Key, at int64) {
			if k.SDKKey != "" && at > clock {
				add(k, at)
			}
		}
		saved := accepted(&decode.EnvironmentRep{Lingering: e.Lingering})
		for k, at := range saved {
			linger(k, at)
		}
		for k, at := range m.known {
			linger(k, at)
		}
	}
	m.version, m.known, m.accepted = e.Version, named, named.until(clock)
}

func orNever(expiry *int64) int64 {
	if expiry == nil {
		return 0
	}
	return *expiry
}

// A mirror is a subscriber that keeps items by their Old and New, and keys as a handler does: those of New,
// and those that were announced to expire until their KeyExpired.
type mirror struct {
	t       *rapid.T
	items   map[decode.EnvironmentID]*decode.EnvironmentRep
	keys    map[decode.EnvironmentID]ring
	filters map[decode.FilterID]*Filter
}

func newMirror(t *rapid.T) *mirror {
	return &mirror{t, map[decode.EnvironmentID]*decode.EnvironmentRep{}, map[decode.EnvironmentID]ring{}, map[decode.FilterID]*Filter{}}
}

func (m *mirror) apply(c Change) {
	id := c.Subject().Environment
	if id == "" {
		m.applyFilter(c)
		return
	}
	if m.items[id] != c.Old || (c.Kind == EnvironmentAdded) != (c.Old == nil) || (c.Kind == EnvironmentDeleted) != (c.New == nil) {
		m.t.Fatalf("%v does not follow %v", c, m.items[id])
	}
	if c.New == nil {
		delete(m.items, id)
		delete(m.keys, id)
		return
	}
	m.items[id] = c.New
	if c.Kind == KeyExpired {
		m.expire(id, c)
		return
	}
	keys := ring{}
	for k, at := range m.keys[id] {
		if at != 0 {
			keys[k] = at
		}
	}
	maps.Copy(keys, accepted(c.New))
	m.keys[id] = keys
}

func (m *mirror) applyFilter(c Change) {
	id := c.Subject().Filter
	if m.filters[id] != c.OldFilter || id != "" && ((c.Kind == FilterAdded) != (c.OldFilter == nil) || (c.Kind == FilterDeleted) != (c.NewFilter == nil)) {
		m.t.Fatalf("%v does not follow %v", c, m.filters[id])
	}
	if c.NewFilter == nil {
		delete(m.filters, id)
		return
	}
	m.filters[id] = c.NewFilter
}

func (m *mirror) expire(id decode.EnvironmentID, c Change) {
	k := withoutTime(*c.Key)
	if _, still := accepted(c.New)[k]; still {
		m.t.Fatalf("%v: the key is accepted still", c)
	}
	if at, ok := m.keys[id][k]; !ok || at == 0 || at != expiry(c.Key) {
		m.t.Fatalf("%v at %d: the key was not announced for that: it is at %d", c, expiry(c.Key), at)
	}
	delete(m.keys[id], k)
}

// want demands that the mirror knows the state.
func (m *mirror) want(s *State, keys map[decode.EnvironmentID]ring) {
	m.t.Helper()
	items := map[decode.EnvironmentID]*decode.EnvironmentRep{}
	for id, e := range s.environments.All {
		items[id] = e.rep
	}
	if !maps.Equal(m.items, items) {
		m.t.Fatalf("the mirror has %v, the state has %v", m.items, items)
	}
	if filters := maps.Collect(s.filters.All); !maps.Equal(m.filters, filters) {
		m.t.Fatalf("the mirror has %v, the state has %v", m.filters, filters)
	}
	if !maps.EqualFunc(m.keys, keys, maps.Equal[ring, ring]) {
		m.t.Fatalf("the mirror accepts %s, and the model %s", plainly(m.keys), plainly(keys))
	}
}

// A machine runs a state beside its model, with a mirror of all changes and one that gets them merged.
type machine struct {
	t      *rapid.T
	clock  int64
	newest int
	state  *State
	model  map[decode.EnvironmentID]*modelKeys
	buried map[decode.EnvironmentID]int // versions of what was deleted
	prompt *mirror
	items  map[*decode.EnvironmentRep]decode.EnvironmentRep // what there was, as it was

	expired uint64 // how many KeyExpired there were

	late    *mirror
	waiting []Change // for late
	merging bool
}

func newMachine(t *rapid.T) *machine {
	m := &machine{t: t, clock: 1000, model: map[decode.EnvironmentID]*modelKeys{}, buried: map[decode.EnvironmentID]int{}, prompt: newMirror(t), late: newMirror(t), items: map[*decode.EnvironmentRep]decode.EnvironmentRep{}}
	m.state = NewState(nil)
	m.state.now = func() time.Time { return time.UnixMilli(m.clock) }
	return m
}

// emit passes a change to the mirrors: to the one at once, and to the other when it is its turn.
func (m *machine) emit(c Change) {
	m.remember(c.New)
	for part := range c.Split {
		if part.Kind == KeyExpired && part.Key == nil {
			m.t.Fatalf("%v is not individual", part)
		}
		if part.Kind == KeyExpired {
			m.expired++
		}
		m.prompt.apply(part)
	}
	for i := len(m.waiting) - 1; i >= 0 && m.merging; i-- {
		if m.waiting[i].Subject() != c.Subject() {
			continue
		}
		merged, place := Merge(m.waiting[i], c)
		switch place {
		case stream.AtOlder:
			m.waiting[i] = merged
			return
		case stream.AtNewer:
			m.waiting = append(slices.Delete(m.waiting, i, i+1), merged)
			return
		case stream.Nowhere:
			m.waiting = slices.Delete(m.waiting, i, i+1)
			return
		}
	}
	m.waiting = append(m.waiting, c)
}

// deliver passes n of the waiting changes on.
func (m *machine) deliver(n int) {
	for _, c := range m.waiting[:n] {
		for part := range c.Split {
			m.late.apply(part)
		}
	}
	m.waiting = m.waiting[n:]
}

// remember keeps a copy of an item of a message or a change.
func (m *machine) remember(e *decode.EnvironmentRep) {
	if _, known := m.items[e]; e == nil || known {
		return
	}
	item := *e
	item.SDKKeys, item.MobileKeys, item.Lingering = slices.Clone(e.SDKKeys), slices.Clone(e.MobileKeys), slices.Clone(e.Lingering)
	m.items[e] = item
}

func (m *machine) apply(message decode.Message) {
	m.remember(message.Environment.Rep)
	if message.Put != nil {
		for _, e := range message.Put.Environments {
			m.remember(e.Rep)
		}
	}
	if err := m.state.Apply(m.t.Context(), &message, m.emit); err != nil {
		m.t.Fatal(err)
	}
}

// upsert is what a message does that names an environment.
func (m *machine) upsert(e *decode.EnvironmentRep, listed bool) {
	known := m.model[e.EnvID]
	buried, deleted := m.buried[e.EnvID]
	switch {
	case deleted && e.Version <= buried:
	case known == nil:
		delete(m.buried, e.EnvID)
		m.model[e.EnvID] = &modelKeys{}
		m.model[e.EnvID].name(e, m.clock)
	case known.version < e.Version:
		known.name(e, m.clock)
	case known.version == e.Version && listed:
		m.restore(known)
	}
}

// restore brings back the keys that were dropped too early.
func (m *machine) restore(known *modelKeys) {
	for k := range known.known.until(m.clock) {
		if _, ok := known.accepted[k]; !ok {
			known.accepted = known.known.until(m.clock)
			return
		}
	}
}

// expire lets the keys expire of which the time has come.
func (m *machine) expire() {
	for _, known := range m.model {
		known.accepted = known.accepted.until(m.clock)
	}
}

func (m *machine) check() {
	keys := map[decode.EnvironmentID]ring{}
	pending, next := 0, int64(0)
	for id, known := range m.model {
		keys[id] = known.accepted
		for _, at := range known.accepted {
			if at != 0 {
				pending++
				if next == 0 || at < next {
					next = at
				}
			}
		}
		item := m.state.Environment([]byte(id))
		if got := accepted(item); !maps.Equal(got, known.accepted) {
			m.t.Fatalf("%v accepts %s, and the model %s", item, plainly(got), plainly(known.accepted))
		}
		checkItem(m.t, item, known.accepted)
	}
	m.prompt.want(m.state, keys)
	late := newMirror(m.t)
	for _, c := range m.state.Snapshot() {
		late.apply(c)
	}
	late.want(m.state, keys)
	if len(m.waiting) == 0 {
		m.late.want(m.state, keys)
	}
	if got := m.state.Stats(); got.PendingExpiries != pending || got.Expired != m.expired {
		m.t.Fatalf("%d keys will expire, want %d; %d have expired, want %d", got.PendingExpiries, pending, got.Expired, m.expired)
	}
	if got, ok := m.state.NextExpiry(); ok != (next != 0) || ok && got.UnixMilli() != next {
		m.t.Fatalf("the next key expires at %v, want %d", got, next)
	}
	m.checkIndex()
	for e, was := range m.items {
		if !reflect.DeepEqual(*e, was) {
			m.t.Fatalf("%v was modified", e)
		}
	}
}

// checkItem demands that an item says of each key what is so, wherever it names it.
func checkItem(t *rapid.T, e *decode.EnvironmentRep, accepted ring) {
	says := func(where string, k Key, at int64) {
		if want, ok := accepted[k]; k != (Key{}) && (!ok || want != at) {
			t.Fatalf("%s of %v says %d of %s%s, and the model %d, %t", where, e, at, string(k.SDKKey), string(k.MobileKey), want, ok)
		}
	}
	says("the slot", Key{SDKKey: e.SDKKey.Expiring.Value}, e.SDKKey.Expiring.Timestamp)
	for _, k := range e.Lingering {
		says("Lingering", Key{SDKKey: k.Value}, k.Timestamp)
	}
	for _, k := range e.SDKKeys {
		says("an array", Key{SDKKey: k.Value}, orNever(k.Expiry))
	}
	for _, k := range e.MobileKeys {
		says("an array", Key{MobileKey: k.Value}, orNever(k.Expiry))
	}
}

// checkIndex looks every key up.
func (m *machine) checkIndex() {
	if m.state.index == nil {
		return
	}
	names := 0
	for _, k := range append(universe(), Key{}, Key{SDKKey: "unknown"}) {
		owners := map[decode.EnvironmentID]bool{}
		for id, known := range m.model {
			if _, ok := known.accepted[k]; ok {
				names++
			}
			if _, ok := known.accepted.until(m.clock)[k]; ok {
				owners[id] = true
			}
		}
		e := m.state.EnvironmentByKey(Key{SDKKey: k.SDKKey, MobileKey: k.MobileKey, Expiry: time.UnixMilli(7)})
		if e == nil && len(owners) > 0 || e != nil && (!owners[e.EnvID] || e != m.state.Environment([]byte(e.EnvID))) {
			m.t.Fatalf("%s%s: %v, want one of %v", string(k.SDKKey), string(k.MobileKey), e, owners)
		}
	}
	for _, owners := range m.state.index {
		for range owners.all {
			names--
		}
	}
	if names != 0 {
		m.t.Fatalf("the index lacks %d entries", names)
	}
}

var (
	ids        = []string{"a", "a", "b"}
	sdkKeys    = []decode.SDKKey{"k1", "k2", "k3", "k4"}
	mobileKeys = []decode.MobileKey{"m1", "m2", "m3"}
)

func universe() (keys []Key) {
	for _, k := range sdkKeys {
		keys = append(keys, Key{SDKKey: k})
	}
	for _, k := range mobileKeys {
		keys = append(keys, Key{MobileKey: k})
	}
	return keys
}

// drawEnvironment draws an environment of few keys, so that they meet often.
func (m *machine) drawEnvironment(id string, version int) decode.EnvironmentRep {
	t := m.t
	e := env(id, version)
	at := func() int64 {
		return rapid.SampledFrom([]int64{0, m.clock - 5, m.clock, m.clock + 10, m.clock + 30, -7}).Draw(t, "expiry")
	}
	e.SDKKey.Value = rapid.SampledFrom(sdkKeys).Draw(t, "key")
	if rapid.Bool().Draw(t, "slot") {
		e.SDKKey.Expiring = decode.ExpiringKeyRep{Value: rapid.SampledFrom(sdkKeys).Draw(t, "old key"), Timestamp: at()}
	}
	if rapid.IntRange(0, 3).Draw(t, "array") == 0 {
		for _, k := range rapid.Permutation(sdkKeys).Draw(t, "keys") {
			if k == e.SDKKey.Value || rapid.Bool().Draw(t, "listed") {
				e.SDKKeys = append(e.SDKKeys, key(k, at()))
			}
		}
	}
	if rapid.Bool().Draw(t, "mobile") {
		e.MobKey = rapid.SampledFrom(mobileKeys).Draw(t, "mobile key")
		if rapid.Bool().Draw(t, "mobile array") {
			for _, k := range rapid.Permutation(mobileKeys).Draw(t, "mobile keys") {
				if k == e.MobKey || rapid.Bool().Draw(t, "listed") {
					e.MobileKeys = append(e.MobileKeys, decode.ConcurrentKeyRep[decode.MobileKey]{Value: k, Expiry: key("", at()).Expiry})
				}
			}
		}
	}
	return e
}

// drawVersion draws a version that is mostly newer than all others.
func (m *machine) drawVersion() int {
	version := max(0, m.newest+rapid.IntRange(-1, 3).Draw(m.t, "version"))
	m.newest = max(m.newest, version)
	return version
}

// drawEntry draws an entry of a put: something new, or what is known, as decode passes it on.
func (m *machine) drawEntry(id string) decode.EnvironmentEntry {
	known := m.state.Environment([]byte(id))
	if known != nil && rapid.Bool().Draw(m.t, "known") {
		return entry(*known)
	}
	e := m.drawEnvironment(id, m.drawVersion())
	e.Lingering = m.drawLingering()
	return entry(e)
}

// drawLingering draws keys that linger in a saved configuration, or in a message of a source. Mostly there are none.
func (m *machine) drawLingering() (keys []decode.ExpiringKeyRep) {
	if rapid.IntRange(0, 3).Draw(m.t, "saved") == 0 {
		for range rapid.IntRange(1, 3).Draw(m.t, "lingering") {
			keys = append(keys, decode.ExpiringKeyRep{Value: rapid.SampledFrom(sdkKeys).Draw(m.t, "old key"), Timestamp: m.clock + int64(rapid.IntRange(-1, 1).Draw(m.t, "time"))*10})
		}
	}
	return keys
}

// put applies a put of some environments.
func (m *machine) put(*rapid.T) {
	m.expire() // before a put
	var listed []decode.EnvironmentEntry
	names := map[decode.EnvironmentID]bool{}
	for _, id := range []string{"a", "b"} {
		if rapid.IntRange(0, 3).Draw(m.t, "listed") > 0 {
			listed = append(listed, m.drawEntry(id))
			names[decode.EnvironmentID(id)] = true
		}
	}
	for _, e := range listed {
		m.upsert(e.Rep, true)
	}
	for id := range m.model {
		if !names[id] {
			delete(m.model, id)
		}
	}
	for id := range m.buried {
		if !names[id] {
			delete(m.buried, id)
		}
	}
	put := &decode.Listing{}
	for _, e := range listed {
		known := m.state.Environment([]byte(e.ID))
		if known != nil && e.Version == known.Version && rapid.Bool().Draw(m.t, "unchanged") {
			put.Unchanged = append(put.Unchanged, []*decode.EnvironmentRep{known})
		} else {
			put.Environments = append(put.Environments, e)
		}
	}
	if rapid.Bool().Draw(m.t, "filter") {
		put.Filters = []decode.FilterEntry{m.drawFilter()}
	}
	m.apply(decode.Message{Kind: decode.Put, Put: put})
}

func (m *machine) drawFilter() decode.FilterEntry {
	version := m.drawVersion()
	return decode.FilterEntry{ID: "f", Version: version, Rep: &decode.FilterRep{Version: version}}
}

// actions are what can happen to the state.
func (m *machine) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"put":          m.put,
		"patch filter": func(*rapid.T) { m.apply(decode.Message{Kind: decode.Patch, Filter: m.drawFilter()}) },
		"delete filter": func(*rapid.T) {
			m.apply(decode.Message{Kind: decode.Delete, Filter: decode.FilterEntry{ID: "f", Version: m.drawVersion()}})
		},
		"patch": func(t *rapid.T) {
			e := m.drawEnvironment(rapid.SampledFrom(ids).Draw(t, "id"), m.drawVersion())
			if known := m.state.Environment([]byte(e.EnvID)); known != nil && e.Version > known.Version && rapid.Bool().Draw(t, "same keys") {
				version := e.Version
				e = *known
				e.Version = version
			}
			e.Lingering = m.drawLingering()
			m.upsert(&e, false)
			m.apply(decode.Message{Kind: decode.Patch, Environment: entry(e)})
		},
		"delete": func(t *rapid.T) {
			id := decode.EnvironmentID(rapid.SampledFrom(ids).Draw(t, "id"))
			version := m.drawVersion()
			if known := m.model[id]; known == nil || known.version < version {
				delete(m.model, id)
				m.buried[id] = max(version, m.buried[id])
			}
			m.apply(decode.Message{Kind: decode.Delete, Environment: decode.EnvironmentEntry{ID: id, Version: version}})
		},
		"omit": func(t *rapid.T) {
			id := decode.EnvironmentID(rapid.SampledFrom(ids).Draw(t, "id"))
			delete(m.model, id)
			delete(m.buried, id)
			m.apply(decode.Message{Kind: decode.Omit, Environment: decode.EnvironmentEntry{ID: id}})
		},
		"omit filter": func(*rapid.T) { m.apply(decode.Message{Kind: decode.Omit, Filter: decode.FilterEntry{ID: "f"}}) },
		"complete": func(*rapid.T) {
			m.expire()
			m.apply(decode.Message{Kind: decode.Complete})
		},
		"time passes": func(t *rapid.T) { m.clock += rapid.Int64Range(1, 20).Draw(t, "time") },
		"keys expire": func(*rapid.T) {
			m.expire()
			m.state.Expire(m.emit)
		},
		"the clock is set": func(t *rapid.T) { m.clock += rapid.Int64Range(-40, 40).Draw(t, "time") },
	}
}

func checkKeys(t *rapid.T) {
	m := newMachine(t)
	actions := m.actions()
	actions["deliver"] = func(t *rapid.T) { m.deliver(rapid.IntRange(0, len(m.waiting)).Draw(t, "changes")) }
	actions["fall behind"] = func(t *rapid.T) { m.merging = rapid.Bool().Draw(t, "merging") }
	actions["look a key up"] = func(t *rapid.T) { m.state.EnvironmentByKey(rapid.SampledFrom(universe()).Draw(t, "key")) }
	actions[""] = func(*rapid.T) { m.check() }
	t.Repeat(actions)
	m.deliver(len(m.waiting))
	m.check()
}

// TestKeysAreThoseOfTheModel runs random messages, with a clock that is also set back, against a naive model
// of the accepted keys. It compares with it the items, which nothing may modify, the index, and what subscribers make
// of the changes: one that gets each at once, one for whom any of them are merged, and one that comes late.
func TestKeysAreThoseOfTheModel(t *testing.T) { rapid.Check(t, checkKeys) }

func FuzzKeys(f *testing.F) { f.Fuzz(rapid.MakeFuzz(checkKeys)) }

// plainly shows a ring, or rings by their environment, with the keys as they are.
func plainly(v any) string {
	switch v := v.(type) {
	case ring:
		var keys []string
		for k, at := range v {
			keys = append(keys, fmt.Sprintf("%s%s until %d", string(k.SDKKey), string(k.MobileKey), at))
		}
		slices.Sort(keys)
		return fmt.Sprint(keys)
	case map[decode.EnvironmentID]ring:
		var all []string
		for id, keys := range v {
			all = append(all, string(id)+plainly(keys))
		}
		slices.Sort(all)
		return fmt.Sprint(all)
	}
	return ""
}
