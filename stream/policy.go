package stream

import "errors"

// ErrSlowConsumer ends the subscription of a subscriber with the policy FailSlow that has fallen too
// far behind.
var ErrSlowConsumer = errors.New("stream: subscriber too slow")

// A Policy says what happens when a subscriber of a Subject, Share or Buffer falls behind. Every
// policy has a limit n: as long as at most n values wait for the subscriber, it gets them all.
// Values wait from their publication until the subscriber's goroutine takes them, which it does
// in batches; a batch that has been taken no longer counts, and no policy reaches into it.
//
// The zero Policy is Block(128). Policies are immutable and may be shared.
type Policy[T any] struct {
	rule  rule
	limit int
	// coalescer makes the backlog of a subscriber whose pending values, n of them, are to be merged.
	coalescer func(n int) backlog[T]
	meter     *Meter
}

type rule uint8

const (
	block rule = iota
	dropOldest
	dropNewest
	failSlow
	coalesce
)

// prefetch is the limit of the zero Policy, and how many values may wait at the asynchronous
// borders that take no policy. It is large enough to amortize the handing over of a batch.
const prefetch = 128

// Block loses nothing: once more than n values wait, whoever publishes has to wait for the
// subscriber, and so everybody else waits for the next value too. It panics if n < 1.
func Block[T any](n int) Policy[T] { return newPolicy[T](block, n) }

// DropOldest keeps the newest n of the values that wait, and counts those it drops. It panics if
// n < 1.
func DropOldest[T any](n int) Policy[T] { return newPolicy[T](dropOldest, n) }

// DropNewest drops, and counts, what is published while n values wait. It panics if n < 1.
func DropNewest[T any](n int) Policy[T] { return newPolicy[T](dropNewest, n) }

// FailSlow ends the subscription with ErrSlowConsumer once more than n values wait. The first n of
// them are delivered before: what the subscriber has seen then is without a gap. It panics if
// n < 1.
func FailSlow[T any](n int) Policy[T] { return newPolicy[T](failSlow, n) }

// Coalesce loses nothing while at most n values wait. Beyond that, until the subscriber has
// caught up, waiting values of one key are merged into one, so that never more values wait than n
// or the number of keys, whichever is greater.
//
// merge gets the two and returns their merger, and its place. AtOlder is for values that describe
// a change: what was published between the two, and in particular a barrier that covers the older
// one, still follows it. AtNewer is for the barriers themselves, which have to stay behind all
// that they cover.
//
// key and merge are called by the publisher while the subject is locked: they must be quick, and
// neither use the subject nor keep state. If one of them panics or calls runtime.Goexit, the publisher
// sees that, and the value waits unmerged. Coalesce panics if n < 1 or a function is nil.
func Coalesce[T any, K comparable](n int, key func(T) K, merge func(older, newer T) (T, Place)) Policy[T] {
	need(key != nil && merge != nil, "Coalesce")
	p := newPolicy[T](coalesce, n)
	p.coalescer = func(n int) backlog[T] { return newCoalescer(n, key, merge) }
	return p
}

// A Place is where the merger of two waiting values goes.
type Place uint8

const (
	// AtOlder puts it where the older one stood.
	AtOlder Place = iota
	// AtNewer puts it behind everything that waits.
	AtNewer
	// Nowhere drops it: the two cancel each other out.
	Nowhere
)

func newPolicy[T any](r rule, n int) Policy[T] {
	p := Policy[T]{rule: r, limit: n}
	atLeastOne(n, p.String())
	return p
}

// normal replaces the zero Policy by what it stands for.
func (p Policy[T]) normal() Policy[T] {
	if p.limit == 0 {
		p.limit = prefetch
	}
	return p
}

// String returns the name of the policy's constructor.
func (p Policy[T]) String() string {
	return [...]string{
		block: "Block", dropOldest: "DropOldest", dropNewest: "DropNewest", failSlow: "FailSlow", coalesce: "Coalesce",
	}[p.rule]
}
