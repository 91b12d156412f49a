// Package stream implements reactive streams. A sequence of values over time is a function, an
// operator turns sequences into another one, and whatever is asynchronous says so.
//
//	type Observable[T any] func(ctx context.Context, yield func(T) bool) error
//
// It is an iterator for range-over-func with two additions, a context that can stop it while it
// waits, and a terminal error.
//
// # Contract
//
// An Observable keeps these rules if the observables that it is made of do, and if the functions that
// it calls return. Package streamtest checks whether an observable keeps them. Exceptions are
// documented where they occur: FromSeq cannot interrupt an iterator.
//
//  1. yield is called on the goroutine that subscribed, never concurrently with itself, and never
//     after the observable has returned.
//  2. When it has returned, every goroutine, timer and connection that the subscription started is
//     gone.
//  3. A false from yield stops it: it returns nil, promptly, and does not call yield again.
//  4. A cancelled context stops it promptly, wherever it is: it returns the context's cause, and
//     yields nothing more. One that was cancelled before it began yields nothing at all.
//  5. yield blocking is the backpressure: nothing is dropped unless an operator's name says so.
//  6. A panic in a callback is not swallowed, and leaves no lock held, no goroutine behind, and nothing
//     half changed. The same holds for runtime.Goexit.
//  7. An error ends the sequence at once. What else runs for it is stopped when the error occurs, even
//     if yield has not returned by then; the values that came before it are yielded before it is
//     returned.
//
// # In plain words
//
// To subscribe is to call the function. Nothing happens before that, and every call is a sequence of
// its own: two subscriptions to a source that connects make two connections. Where that is not so, as
// with a channel or a Subject, the comment says so. An observable may be subscribed to many times,
// also at the same time.
//
// Values have the order in which yield is called with them. An operator keeps the order of its source;
// if it mixes several, it keeps that of each.
//
// A subscription ends in one of three ways. The sequence ends by itself: the result is nil or an
// error. The subscriber returns false: the result is nil. The context is cancelled: the result is its
// cause. If the last two coincide, it is nil; if a cancellation coincides with the end of the
// sequence, it may be either. Operators that handle failures (Catch, Retry, Materialize) do not handle
// cancellation.
//
// Errors are passed on as they are, never wrapped. There are no values after an error.
//
// The zero values of Policy, Subject, Behavior, ReplaySubject and Meter are ready to use. An operator
// panics when it is called with a nil observable or function, or with a number or a duration that makes
// no sense; the text names the operator. Three arguments may be nil, and their comments say so: the
// channel of FromChan, the prefix of Observe and the options of ShareWith.
//
// # Goroutines
//
// Map, Filter, Concat, Retry and all others of their kind start none, use no channel and allocate
// nothing for a value: a chain of them is a chain of calls. Operators that must attend to several
// things at once run their sources on goroutines of their own, bring the values back to the
// subscriber's goroutine, and wait for their own before they return.
//
// A callback runs on the goroutine of its observable. Behind the last operator with goroutines that is
// the subscriber's: callbacks there may share variables with each other, and with the code around the
// subscription, without a lock. In front of such an operator it is a goroutine of the source: two
// sources of one Merge need a lock for what they share. Subscriptions share the variables of their
// callbacks with each other; Defer gives each its own.
//
// Backpressure needs no protocol: the source calls yield, and goes on when the subscriber has returned
// from it. Only where an operator puts a goroutine between the two is there a buffer. Its size, and
// what happens when it is full, are a Policy where the operator takes one. An operator that fetches
// ahead, as its comment says, uses Block(128): at most 128 values wait, besides up to 64 that the
// subscriber's goroutine has taken and the one that each source has in hand.
//
// # Sources that are ready
//
// A source is ready if it yields or ends before it first waits. Just, FromSlice and a Behavior are,
// and so is what Map, Filter and the other operators without goroutines make of them. Race and
// WithLatestFrom count such a source as if they had run it when they subscribed to it, although it has a
// goroutine that may not have begun: they hold a first value back until the source that has precedence
// is past its beginning. Zip does so before it fails, for the counterparts of what came before.
//
// A source that waits is recognized by the call of Done on its context, and then holds nothing back.
// Operators with goroutines, and Timeout, call it when they begin, so that they are never ready. A source
// of your own is ready if it only asks its context for Err before its first value: a select with Done,
// even one with a default, passes for waiting, as does a context that is derived with a cancellation or
// a deadline. A source that neither calls Done nor ends, because it computes for long, polls with
// time.Sleep or never waits at all, holds a value back for 100 ms at most; in a Race, only until it yields.
//
// # Panics
//
// A panic on the subscriber's goroutine goes through the operators, whose deferred functions clean up,
// to the caller. On a goroutine that an operator has started it ends the program, as everywhere in Go:
// to recover it there and panic again elsewhere would lose its stack and gain nothing. A
// runtime.Goexit there, such as that of a t.FailNow in a source that Merge runs, ends the sequence
// with an error. A function that a publisher calls while a Subject is locked (that of Update, or those
// of Coalesce) may panic, too: the panic goes to the publisher, what was emitted is published, and the
// subject works on.
//
// # Terminals
//
// Operators are functions, because a method cannot change the type of the values, and one rule is
// easier than two. Terminals are methods:
//
//   - ForEach, where each value is acted upon and an action can fail.
//   - All, in a loop that wants break, continue or return.
//   - Chan, where values meet other channels in a select. It is the one terminal with a goroutine.
//   - Collect, First, Last and Count, where only the outcome matters.
//
// Calling the function itself is for writing operators.
//
// # What is not here
//
// Window, whose values are observables. A window would have to be subscribed to before its first
// value, and at the pace of the outer sequence, on the same goroutine: it could keep the contract only
// with an unbounded buffer or by dropping. BatchCount and BatchTime give windows as slices, and GroupBy
// is told beforehand what to make of a group.
//
// Arithmetic operators. Scan, Reduce or a loop over All do the same.
//
// Schedulers. Go has one.
package stream
