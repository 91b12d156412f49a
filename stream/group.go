package stream

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// GroupBy sorts the values of o by their key. At the first value of a key it calls f, which makes an
// observable of the group, the sequence of all values of that key; what these observables yield, for
// all keys, is yielded as it comes. So it is the Merge of f(k, Filter(o, key is k)) for every k that
// occurs, with one subscription to o.
//
//	o                       ──a1──b5──a2──b6──|
//	k, group → sum so far   ──a1──b5──a3──b11─|
//
// A group is hot, like a Subject that its first subscription joins from the first value on. p says
// what happens when it falls behind: with Block, o waits for it, and so do the other groups. When the
// observable that f made of a group has ended, later values of that key are dropped, as by Take.
//
// Each group costs a goroutine, with the stack that its observable needs, and a Subject with one
// subscriber, until its observable has ended (BenchmarkGroup); after that a key costs its place in a
// map, as long as the subscription lasts. For keys without bound use GroupByUntil, which forgets them.
//
// Groups end as o does. An error of o comes after what the groups make of their values and of the
// error; an observable that goes on after its group has failed delays it. Any other error of one of
// these observables stops o and all the others when it occurs. o has a goroutine of its own, on which
// f is called, and the results are fetched ahead as in Merge.
func GroupBy[T any, K comparable, U any](
	o Observable[T], key func(T) K, p Policy[T], f func(key K, group Observable[T]) Observable[U],
) Observable[U] {
	need(o != nil && key != nil && f != nil, "GroupBy")
	return func(ctx context.Context, yield func(U) bool) error {
		return newGrouping(ctx, key, p, f).subscribe(ctx, o, yield)
	}
}

// GroupByUntil is GroupBy with groups that end: each when the observable that duration makes of its key
// and of the group itself yields a value or completes. A later value of the same key begins another
// group, though the observable of the former may still be busy with its last values. Debounce of the
// group, for instance, ends it when it has been quiet for some time, and Timer when it is of some age.
//
//	o                        ──a1──a2────a3──|
//	duration                   ────────x
//	k, group → sum so far    ──a1──a3────a3──|
//
// The observable of duration has a goroutine of its own, and is stopped when o ends. It need not
// subscribe to the group, as Timer does not; if it does, it gets the latest value that there is by then
// and all later ones, with the policy p. A group has its first value before its duration begins. An error
// of duration is an error of the whole.
func GroupByUntil[T any, K comparable, U, D any](
	o Observable[T], key func(T) K, p Policy[T],
	duration func(key K, group Observable[T]) Observable[D], f func(key K, group Observable[T]) Observable[U],
) Observable[U] {
	need(o != nil && key != nil && duration != nil && f != nil, "GroupByUntil")
	return func(ctx context.Context, yield func(U) bool) error {
		g := newGrouping(ctx, key, p, f)
		g.duration = func(k K, group Observable[T]) Observable[struct{}] {
			return Map(made(duration(k, group), "GroupByUntil"), func(D) struct{} { return struct{}{} })
		}
		return g.subscribe(ctx, o, yield)
	}
}

// A grouping is one subscription to a GroupBy.
//
// Concurrency: the goroutine of o alone makes groups and publishes to them. It waits for a group's
// room, and at last for the ends of all; both obey the context of the intake, which ends with the
// subscription and with the first error. The goroutine of a duration ends a group: it takes it out
// of the map before it closes it, so that a value which finds it closed finds it gone.
type grouping[T any, K comparable, U any] struct {
	*intake[U]
	key      func(T) K
	policy   Policy[T]
	f        func(K, Observable[T]) Observable[U]
	duration func(K, Observable[T]) Observable[struct{}] // nil for groups that end with o
	running  sync.WaitGroup                              // the observables that f has made

	mu     sync.Mutex
	groups map[K]*group[T] // nil is a group whose observable has ended, and which has no duration
}

func newGrouping[T any, K comparable, U any](
	ctx context.Context, key func(T) K, p Policy[T], f func(key K, group Observable[T]) Observable[U],
) *grouping[T, K, U] {
	in := newIntake(ctx, Block[U](prefetch))
	return &grouping[T, K, U]{intake: in, key: key, policy: p, f: f, groups: make(map[K]*group[T])}
}

func (g *grouping[T, K, U]) subscribe(ctx context.Context, o Observable[T], yield func(U) bool) error {
	defer g.stop()
	g.start(func(ctx context.Context, _ func(U) bool) error {
		err := o(ctx, func(v T) bool { return g.sort(ctx, v) })
		g.closeAll(err)
		g.running.Wait()
		return err
	})
	return g.run(ctx, yield)
}

// sort publishes v to its group.
func (g *grouping[T, K, U]) sort(ctx context.Context, v T) bool {
	k := g.key(v)
	if its, known := g.lookUp(k); known {
		if its == nil {
			return ctx.Err() == nil
		}
		// Closed is a group whose duration has ended since it was looked up.
		if err := its.subject.Publish(ctx, v); !errors.Is(err, ErrClosed) {
			return err == nil
		}
	}
	g.begin(ctx, k, v)
	return ctx.Err() == nil
}

func (g *grouping[T, K, U]) lookUp(k K) (its *group[T], known bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	its, known = g.groups[k]
	return its, known
}

// put replaces a group in the map, if it is still there.
func (g *grouping[T, K, U]) put(k K, its, by *group[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.groups[k] != its:
	case by == nil && g.duration != nil:
		delete(g.groups, k)
	default:
		g.groups[k] = by
	}
}

// closeAll ends all groups as o has ended.
func (g *grouping[T, K, U]) closeAll(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, its := range g.groups {
		if its != nil {
			its.close(err)
		}
	}
}

// begin makes a group, publishes its first value, and starts what was made of it. The duration starts
// last, when it can end the group: earlier, it could close one that begin then puts into the map.
func (g *grouping[T, K, U]) begin(ctx context.Context, k K, v T) {
	its := &group[T]{policy: g.policy}
	members := its.join(g.policy)
	defer members.dismissUnlessStarted()
	o := made(g.f(k, members.subscribe), "GroupBy")
	startDuration := g.prepareDuration(k, its)
	_ = its.subject.Publish(ctx, v) // does not wait: a new group has room
	g.put(k, nil, its)
	members.started = true
	g.running.Add(1)
	g.start(func(ctx context.Context, yield func(U) bool) error {
		defer g.running.Done()
		defer members.dismiss()
		err := o(ctx, yield)
		if g.duration == nil {
			g.put(k, its, nil)
		}
		return unless(its.failed.Load(), err)
	})
	startDuration()
}

// prepareDuration returns a function that starts what ends a group.
func (g *grouping[T, K, U]) prepareDuration(k K, its *group[T]) (start func()) {
	if g.duration == nil {
		return func() {}
	}
	members := its.join(DropOldest[T](1)) // holds nobody up
	members.optional = true
	defer members.dismissUnlessStarted()
	o := g.duration(k, members.subscribe)
	members.started = true
	own, cancel := context.WithCancel(g.ctx)
	its.endDuration = cancel
	run := func(context.Context, func(U) bool) error {
		defer cancel()
		defer members.dismiss()
		err := o(own, func(struct{}) bool { return false })
		if err != nil && (its.failed.Load() || own.Err() != nil) {
			return nil // o has ended, which is no error of the duration
		}
		g.put(k, its, nil)
		its.subject.Close(err)
		return err
	}
	return func() { g.start(run) }
}

// A group is the values of one key.
type group[T any] struct {
	subject     Subject[T]
	policy      Policy[T]
	endDuration context.CancelFunc // nil without a duration
	failing     atomic.Bool        // o has failed
	failed      atomic.Bool        // and a subscriber of the group has got the error
}

// close ends the group as o has ended.
func (g *group[T]) close(err error) {
	if g.endDuration != nil {
		g.endDuration()
	}
	g.failing.Store(err != nil)
	g.subject.Close(err)
}

// join returns the group as a subscriber sees it that is there from now on, and that has the policy p
// until it subscribes.
func (g *group[T]) join(p Policy[T]) *members[T] {
	m := &members[T]{group: g}
	m.first.Store(g.subject.join(p, nil))
	return m
}

// The members are a group as an observable. Its first subscription is there before the first value. An
// optional one keeps only the latest value until somebody takes it.
type members[T any] struct {
	*group[T]
	first    atomic.Pointer[subscription[T]] // belongs to whoever swaps it out
	optional bool
	started  bool
}

func (m *members[T]) subscribe(ctx context.Context, yield func(T) bool) error {
	sub := m.first.Swap(nil)
	switch {
	case sub == nil:
		sub = m.subject.join(m.policy, nil)
	case m.optional:
		sub.adopt(m.policy)
	}
	defer sub.leave()
	err := sub.run(ctx, yield)
	if err != nil && ctx.Err() == nil && m.failing.Load() {
		m.failed.Store(true)
	}
	return err
}

// dismiss lets go of the values that nobody has subscribed to.
func (m *members[T]) dismiss() {
	if sub := m.first.Swap(nil); sub != nil {
		sub.leave()
	}
}

// dismissUnlessStarted is for a callback that does not return.
func (m *members[T]) dismissUnlessStarted() {
	if !m.started {
		m.dismiss()
	}
}
