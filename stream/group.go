package stream

import (
	"context"
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
// A group is hot, like a Subject that its first subscription joins from the first value on. p is what
// happens when it falls behind: with Block, o waits for it, and so do the others. When the observable
// that f made of a group has ended, later values of that key are dropped, as by Take. Each key takes
// some memory, and each whose observable has not ended a goroutine, as long as the subscription lasts.
//
// Groups end as o does; an error of o comes after what they make of it. An error of any of their
// observables ends the whole. o has a goroutine of its own, on which f is called, and up to 128
// values are fetched ahead.
func GroupBy[T any, K comparable, U any](
	o Observable[T], key func(T) K, p Policy[T], f func(key K, group Observable[T]) Observable[U],
) Observable[U] {
	return func(ctx context.Context, yield func(U) bool) error {
		in := newIntake(ctx, Block[U](prefetch))
		defer in.stop()
		g := &grouping[T, K, U]{in: in, key: key, policy: p, f: f, groups: make(map[K]*group[T])}
		in.start(func(ctx context.Context, _ func(U) bool) error { return g.run(ctx, o) })
		return in.run(ctx, yield)
	}
}

// A grouping is one subscription to a GroupBy.
//
// Concurrency: all but running belongs to the goroutine of o, which alone publishes to the groups. It
// waits for a group's room, and at last for the ends of all; both obey the context of the intake,
// which ends with the subscription and with the first error.
type grouping[T any, K comparable, U any] struct {
	in      *intake[U]
	key     func(T) K
	policy  Policy[T]
	f       func(K, Observable[T]) Observable[U]
	groups  map[K]*group[T]
	running sync.WaitGroup // the observables that f has made
}

func (g *grouping[T, K, U]) run(ctx context.Context, o Observable[T]) error {
	err := o(ctx, func(v T) bool {
		k := g.key(v)
		its, known := g.groups[k]
		if !known {
			its = newGroup(g.policy)
			g.groups[k] = its
			g.start(its, g.f(k, its.subscribe))
		}
		return its.subject.Publish(ctx, v) == nil
	})
	for _, its := range g.groups {
		its.subject.Close(err)
	}
	g.running.Wait()
	return err
}

// start runs what f has made of a group.
func (g *grouping[T, K, U]) start(its *group[T], made Observable[U]) {
	g.running.Add(1)
	g.in.start(func(ctx context.Context, yield func(U) bool) error {
		defer g.running.Done()
		defer its.dismiss()
		return made(ctx, yield)
	})
}

// A group is the values of one key.
type group[T any] struct {
	subject *Subject[T]
	policy  Policy[T]
	// first is there before the first value, and belongs to whoever swaps it out.
	first atomic.Pointer[subscription[T]]
}

func newGroup[T any](p Policy[T]) *group[T] {
	g := &group[T]{subject: NewSubject[T](), policy: p}
	g.first.Store(g.subject.join(p, nil))
	return g
}

func (g *group[T]) subscribe(ctx context.Context, yield func(T) bool) error {
	sub := g.first.Swap(nil)
	if sub == nil {
		sub = g.subject.join(g.policy, nil)
	}
	defer sub.leave()
	return sub.run(ctx, yield)
}

// dismiss lets go of the values that nobody has subscribed to.
func (g *group[T]) dismiss() {
	if sub := g.first.Swap(nil); sub != nil {
		sub.leave()
	}
}
