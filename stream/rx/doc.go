// Package rx is the bridge between [stream.Observable] and RxGo v2, both ways: RxGo's operators for
// a stream, and a stream made of what a program already has in RxGo. It is meant for the edge of a
// program; inside, the operators of package stream are typed and need no goroutine per stage.
//
// The bridge keeps the contract of package stream as far as RxGo allows. Nothing is dropped,
// repeated or put into another order; errors keep their identity; a false from yield and the end of
// a context take effect at once; and when an observable of [FromRxGo] has returned, every stream that
// ran inside it through [ToRxGo] has ended, whatever operators stood between that pass on the context.
// RxGo's own goroutines have been told to end by then, but can't be waited for.
//
// What RxGo does not do, and what follows from that:
//
// # Stopping
//
// There is no unsubscribing. An observer that stops reading leaves the producer blocked at its next
// item until the context of its Observe ends; Take, and an operator that has met an error, just stop
// reading, too. So give every Observe, ForEach, Run … a context, and end it. Take(n) ends when item
// n+1 arrives, which may be never: take after FromRxGo, with package stream.
//
// A producer that ignores its context stays blocked when FromRxGo stops early: its channel is neither
// drained nor waited for. Draining would take other observers' items where they share one channel
// (FromChannel), and would never be done where a cancelled producer leaves its channel open (Range).
//
// # Operators for one observer
//
// FlatMap, Retry, StartWith, Sample, Serialize, Count, Debounce, the timed buffers and everything that
// combines observables have one channel and obey one context: what they were built with. A second
// subscription finds nothing; that of FlatMap, Count, Debounce or a timed buffer makes RxGo
// panic, on a goroutine of its own. Build them anew for each subscription, with its context, as the second
// example of [FromRxGo] does.
//
// # Errors
//
// An error is an item. With ContinueOnError more items may follow it; FromRxGo ends at the first.
// Cancellation is no error to RxGo, which closes the channel as if all were complete. FromRxGo
// returns the cause if it was its own context that ended.
//
// # Slow observers
//
// Each stage is an unbuffered channel unless WithBufferedChannel says otherwise: a slow observer
// holds up its producer. WithPool lets items overtake each other.
//
// # Hot observables
//
// FromEventSource delivers to one observer after the other, so that a slow one holds up all, and one
// that has left holds up all for ever, unless WithBackPressureStrategy(Drop) lets each miss what
// it is not ready for. A connectable observable (WithPublishStrategy) has no Drop. If the
// context of a hot observable ends while it is held up, the others' channels are never closed.
// While it is held up a new Observe waits, too: FromRxGo gives up when its context ends, and
// leaves behind the goroutine that called Observe until that returns.
//
// So subscribe to a hot observable once, for as long as it lives, and multicast with package stream.
// To share one subscription of a stream among RxGo's observers, hand its channel to RxGo:
//
//	items := rx.ToRxGo(o).Observe(rxgo.WithContext(ctx))
//	shared := rxgo.FromEventSource(items, rxgo.WithContext(ctx), rxgo.WithBackPressureStrategy(rxgo.Drop))
//
// # Cost
//
// Each value is boxed in an interface, and each stage hands it from goroutine to goroutine, which costs
// far more than an operator of package stream; buffers halve it. The benchmarks of this package show how
// much.
package rx
