package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/internal/snapshot"
	"github.com/relaystream/autoconfig/stream"
)

const testKey = "rel-11111111-2222-sealing"

var errBroken = errors.New("broken")

// A hook is called at the beginning of a call of a memoryStore, which returns its error.
type hook func(context.Context) error

// obedient waits for the end of the context.
func obedient(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// deaf waits for the test.
func deaf(release <-chan struct{}) hook {
	return func(context.Context) error {
		<-release
		return nil
	}
}

// slow takes its time, and heeds nothing.
func slow(d time.Duration) hook {
	return func(context.Context) error {
		time.Sleep(d)
		return nil
	}
}

func failing(context.Context) error { return errBroken }

// A memoryStore is a Store in memory. It fails the test if two calls are under way at the same time.
type memoryStore struct {
	t                          testing.TB
	onLoad, onSave, onSetAside hook

	mu    sync.Mutex
	busy  bool
	data  []byte
	saves []time.Time // when each save had succeeded
	aside int
}

// begin returns what ends the call.
func (m *memoryStore) begin(ctx context.Context, h hook) (func(), error) {
	m.mu.Lock()
	if m.busy {
		m.t.Error("two calls at a time")
	}
	m.busy = true
	m.mu.Unlock()
	var err error
	if h != nil {
		err = h(ctx)
	}
	m.mu.Lock()
	return func() {
		m.busy = false
		m.mu.Unlock()
	}, err
}

func (m *memoryStore) Load(ctx context.Context) ([]byte, error) {
	end, err := m.begin(ctx, m.onLoad)
	defer end()
	if err == nil && m.data == nil {
		err = fmt.Errorf("memory: %w", fs.ErrNotExist)
	}
	return m.data, err
}

func (m *memoryStore) Save(ctx context.Context, data []byte) error {
	end, err := m.begin(ctx, m.onSave)
	defer end()
	if err == nil {
		m.data, m.saves = data, append(m.saves, time.Now())
	}
	return err
}

func (m *memoryStore) SetAside(ctx context.Context) error {
	end, err := m.begin(ctx, m.onSetAside)
	defer end()
	if err == nil {
		m.data, m.aside = nil, m.aside+1
	}
	return err
}

// times returns when saves had succeeded.
func (m *memoryStore) times() []time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.saves)
}

// A logbook keeps events.
type logbook struct {
	mu     sync.Mutex
	events []Event
}

func (b *logbook) report(e Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, e)
}

// take returns the kinds of the events since the last call.
func (b *logbook) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var kinds []string
	for _, e := range b.events {
		kinds = append(kinds, e.Kind.String())
	}
	b.events = nil
	return strings.Join(kinds, ", ")
}

// environment returns an environment with keys of its own.
func environment(id decode.EnvironmentID, version int) *decode.EnvironmentRep {
	e := &decode.EnvironmentRep{EnvID: id, EnvName: "Env " + string(id), MobKey: decode.MobileKey("mob-" + id), Version: version}
	e.SDKKey.Value = decode.SDKKey("sdk-" + id)
	return e
}

// state returns the changes that make a configuration of these environments, which the server has completed.
func state(environments ...*decode.EnvironmentRep) []diff.Change {
	var changes []diff.Change
	for _, e := range environments {
		changes = append(changes, diff.Change{Kind: diff.EnvironmentAdded, New: e})
	}
	return append(changes, diff.Change{Kind: diff.Synced})
}

// A source is a configuration that changes, as a client has one.
type source struct {
	subject *stream.Subject[diff.Change]
	changes []diff.Change // guarded by subject
	auto    string        // the auto-configuration key; guarded by subject
	looks   int           // calls of snapshot; guarded by subject
}

func newSource() *source { return &source{subject: stream.NewSubject[diff.Change](), auto: testKey} }

// set replaces the configuration, and publishes its changes.
func (s *source) set(changes []diff.Change) {
	_ = s.subject.Update(context.Background(), func(emit func(diff.Change)) {
		s.changes = changes
		for _, c := range changes {
			emit(c)
		}
	})
}

// rotate changes the auto-configuration key, of which nobody is told.
func (s *source) rotate(key string) { s.subject.View(func() { s.auto = key }) }

func (s *source) snapshot() (changes []diff.Change) {
	s.subject.View(func() {
		s.looks++
		changes = s.changes
	})
	return changes
}

func (s *source) key() (key string) {
	s.subject.View(func() { key = s.auto })
	return key
}

func (s *source) changed() stream.Observable[diff.Change] {
	return s.subject.Observe(stream.DropOldest[diff.Change](1), nil)
}

// A run is a call of Save on a goroutine of its own.
type run struct {
	done chan struct{} // closed when it has returned
	err  error         // what it returned, once done is closed
}

// save has c follow s, and waits until it does.
func (s *source) save(ctx context.Context, c *Cache) *run {
	r := &run{done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = c.Save(ctx, s.changed(), s.snapshot, s.key)
	}()
	synctest.Wait()
	return r
}

// end returns how long Save still took, and what it returned.
func (r *run) end() (took time.Duration, err error) {
	start := time.Now()
	<-r.done
	return time.Since(start), r.err
}

// finish closes the source, and returns what end does.
func (s *source) finish(r *run) (took time.Duration, err error) {
	s.subject.Close(nil)
	return r.end()
}

// pass lets virtual time pass, and then everybody do what the time has come for.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// inBubble runs f in virtual time.
func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// under is the key function of a client that has a key.
func under(key string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return key, nil }
}

// sealedState returns what a store holds that saved the configuration.
func sealedState(t testing.TB, key string, changes []diff.Change) []byte {
	t.Helper()
	text, err := snapshot.Encode(context.Background(), changes)
	if err != nil {
		t.Fatal(err)
	}
	return sealed(t, key, text)
}

func sealed(t testing.TB, key string, text []byte) []byte {
	t.Helper()
	data, err := sealSnapshot(key, text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// holds describes what data has under the key.
func holds(t testing.TB, key string, data []byte) string {
	t.Helper()
	m, err := New(&memoryStore{t: t, data: data}, nil).Load(under(key)).First(context.Background())
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, e := range m.Put.Environments {
		fmt.Fprintf(&b, "%s@%d ", string(e.ID), e.Version)
	}
	return strings.TrimSpace(b.String())
}

// A countdown is a context that ends after so many looks at it.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}
