package rx_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/rx"
)

// Each test here holds one sentence of the package comment about RxGo to what RxGo does.

func TestObserverThatLeavesBlocksTheProducer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &source{values: []int{1, 2, 3}}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		taken := rx.ToRxGo(src.subscribe).Take(1).Observe(rxgo.WithContext(ctx))
		for range taken {
		}
		synctest.Wait()
		if src.active.Load() != 1 {
			t.Error("want the stream blocked after Take has stopped reading")
		}
		cancel()
		synctest.Wait()
		if src.active.Load() != 0 {
			t.Error("the end of the context did not end the stream")
		}
	})
}

func TestTakeEndsOneItemLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		src := &source{values: []int{1, 2}, idle: true}
		taken := rx.ToRxGo(src.subscribe).Take(2).Observe(rxgo.WithContext(ctx))
		<-taken
		<-taken
		synctest.Wait()
		select {
		case item, ok := <-taken:
			t.Errorf("got %v, %t, want nothing before a third item", item, ok)
		default:
		}
	})
}

func TestProducerThatIgnoresItsContextIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var running atomic.Bool
		deaf := rxgo.Defer([]rxgo.Producer{func(_ context.Context, next chan<- rxgo.Item) {
			running.Store(true)
			defer running.Store(false)
			for i := range 3 {
				select {
				case next <- rxgo.Of(i):
				case <-release:
				}
			}
		}})
		if got, err := first(t.Context(), rx.FromRxGo[int](deaf), 1); err != nil || len(got) != 1 {
			t.Errorf("got %v, %v", got, err)
		}
		synctest.Wait()
		if !running.Load() {
			t.Error("want the producer still blocked")
		}
		close(release)
	})
}

func TestSharedChannelIsNotDrained(t *testing.T) {
	items := make(chan rxgo.Item, 4)
	rxgo.SendItems(t.Context(), items, rxgo.CloseChannel, 1, 2, 3, 4)
	o := rx.FromRxGo[int](rxgo.FromChannel(items))
	for _, want := range [][]int{{1, 2}, {3, 4}} {
		if got, err := first(t.Context(), o, 2); err != nil || !slices.Equal(got, want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
}

// Range returns without closing its channel when its context ends.
func TestProducerThatNeverClosesIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var items <-chan rxgo.Item
		o := observeFunc(func(opts ...rxgo.Option) <-chan rxgo.Item {
			items = rxgo.Range(0, 10).Observe(opts...)
			return items
		})
		if got, err := first(t.Context(), rx.FromRxGo[int](o), 2); err != nil || len(got) != 2 {
			t.Errorf("got %v, %v", got, err)
		}
		synctest.Wait()
		select {
		case item, ok := <-items:
			t.Errorf("got %v, %t from Range after the end of its context", item, ok)
		default:
		}
	})
}

// An operator that has met an error stops reading, too.
func TestOperatorThatHasFailedBlocksTheProducer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &source{values: []int{1, 2, 3}}
		ctx, cancel := context.WithCancel(t.Context())
		failing := rx.ToRxGo(src.subscribe).Map(func(context.Context, any) (any, error) { return nil, errEnd })
		n := 0
		for range failing.Observe(rxgo.WithContext(ctx)) {
			n++
		}
		synctest.Wait()
		if n != 1 || src.active.Load() != 1 {
			t.Errorf("%d items, %d streams; want the error alone, and the stream still blocked", n, src.active.Load())
		}
		cancel()
	})
}

// Each stage has one item in hand unless it has a buffer, and a slow observer holds up the producer.
func TestSlowObserverHoldsUpTheProducer(t *testing.T) {
	same := func(_ context.Context, v any) (any, error) { return v, nil }
	for buffer, want := range map[int]int{0: 1 + 2 + 1, 5: 1 + 2 + 1 + 3*5} { // the observer's, the stages', the source's
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			fetched := 0
			counted := stream.Tap(stream.Just(make([]int, 100)...), func(int) { fetched++ })
			option := rxgo.WithBufferedChannel(buffer)
			o := rx.FromRxGo[int](rx.ToRxGo(counted, option).Map(same, option).Map(same, option), option)
			go func() {
				_ = o(ctx, func(int) bool {
					<-ctx.Done()
					return true
				})
			}()
			synctest.Wait()
			if fetched != want {
				t.Errorf("with buffers of %d: %d values fetched for an observer that is busy with the first, want %d", buffer, fetched, want)
			}
			cancel()
		})
	}
}

// TestSecondSubscription needs a process of its own where RxGo panics.
func TestSecondSubscription(t *testing.T) {
	short := rxgo.WithDuration(time.Millisecond)
	in := func() rxgo.Observable { return rx.ToRxGo(stream.Just(1, 2, 3)) }
	once := func(i rxgo.Item) rxgo.Observable { return rxgo.Just(i.V)() }
	nothing := func() rxgo.Observable { return rx.ToRxGo(stream.Empty[int]()) }
	for name, build := range map[string]func() rxgo.Iterable{
		"Retry":     func() rxgo.Iterable { return in().Retry(1, func(error) bool { return false }) },
		"StartWith": func() rxgo.Iterable { return in().StartWith(nothing()) },
		"Serialize": func() rxgo.Iterable { return in().Serialize(1, func(v any) int { return v.(int) }) },
		"Merge":     func() rxgo.Iterable { return rxgo.Merge([]rxgo.Observable{in(), nothing()}) },
		"Concat":    func() rxgo.Iterable { return rxgo.Concat([]rxgo.Observable{in(), nothing()}) },
	} {
		o := rx.FromRxGo[int](build())
		for _, want := range []int{3, 0} {
			if n, err := o.Count(t.Context()); n != want || err != nil {
				t.Errorf("%s: %d values, %v, want %d", name, n, err, want)
			}
		}
	}
	panicking := map[string]func() rxgo.Iterable{
		"FlatMap":        func() rxgo.Iterable { return in().FlatMap(once) },
		"Count":          func() rxgo.Iterable { return in().Count() },
		"Debounce":       func() rxgo.Iterable { return in().Debounce(short) },
		"BufferWithTime": func() rxgo.Iterable { return in().BufferWithTime(short) },
	}
	const which = "RX_SECOND_SUBSCRIPTION"
	if build := panicking[os.Getenv(which)]; build != nil {
		o := rx.FromRxGo[any](build())
		for range 2 {
			_, _ = o.Count(t.Context())
		}
		<-t.Context().Done() // the panic is on its way
	}
	for name := range panicking {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		command := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestSecondSubscription$")
		command.Env = append(os.Environ(), which+"="+name)
		if out, err := command.CombinedOutput(); err == nil || ctx.Err() != nil || !bytes.Contains(out, []byte("panic:")) {
			t.Errorf("%s did not panic: %v\n%s", name, err, out)
		}
		cancel()
	}
}

func TestOperatorsForOneObserver(t *testing.T) {
	never := func(error) bool { return false }
	src := &source{values: []int{1, 2, 3}}
	retried := rx.FromRxGo[int](rx.ToRxGo(src.subscribe).Retry(0, never))
	for _, want := range [][]int{{1, 2, 3}, nil} {
		if got, err := first(t.Context(), retried, -1); err != nil || !slices.Equal(got, want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		var items <-chan rxgo.Item
		flat := rx.ToRxGo(src.subscribe).FlatMap(func(i rxgo.Item) rxgo.Observable { return rxgo.Just(i.V)() })
		o := observeFunc(func(opts ...rxgo.Option) <-chan rxgo.Item {
			items = flat.Observe(opts...)
			return items
		})
		err := rx.FromRxGo[int](o)(t.Context(), func(int) bool {
			synctest.Wait() // FlatMap has 2 in hand
			return false
		})
		synctest.Wait()
		if item := <-items; err != nil || item.V != 2 {
			t.Errorf("got %v, want FlatMap to hold 2 in spite of the context's end", item)
		}
		for range items {
		}
	})
}

func TestItemsAfterAnError(t *testing.T) {
	o := rxgo.Just(1, errEnd, 2)().Map(func(_ context.Context, v any) (any, error) { return v, nil },
		rxgo.WithErrorStrategy(rxgo.ContinueOnError))
	n := 0
	for range o.Observe() {
		n++
	}
	got, err := first(t.Context(), rx.FromRxGo[int](o), -1)
	if n != 3 || !slices.Equal(got, []int{1}) || err != errEnd {
		t.Errorf("RxGo delivered %d items, FromRxGo %v, %v", n, got, err)
	}
}

func TestLaterContextReplaces(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	src := &source{values: []int{1, 2, 3}}
	o := rx.FromRxGo[int](rx.ToRxGo(src.subscribe, rxgo.WithContext(ended)), rxgo.WithContext(ended))
	if got, err := first(t.Context(), o, -1); err != nil || len(got) != 3 {
		t.Errorf("got %v, %v, want the subscription's own context to count", got, err)
	}
}

func TestOptionsOfHotObservablesMeanNothingToAColdOne(t *testing.T) {
	src := &source{values: []int{1, 2, 3}}
	cold := rx.ToRxGo(src.subscribe, rxgo.WithPublishStrategy(), rxgo.WithBackPressureStrategy(rxgo.Drop))
	for range 2 {
		if got, err := cold.ToSlice(0); err != nil || len(got) != 3 {
			t.Errorf("got %v, %v, want all without Connect, for each observer", got, err)
		}
	}
}

func TestPoolDeliversInAnyOrder(t *testing.T) {
	secondSeen := make(chan struct{})
	src := &source{values: []int{1, 2}}
	o := rx.ToRxGo(src.subscribe).Map(func(_ context.Context, v any) (any, error) {
		if v == 1 {
			<-secondSeen
		}
		return v, nil
	}, rxgo.WithPool(2))
	var got []int
	err := rx.FromRxGo[int](o)(t.Context(), func(v int) bool {
		if got = append(got, v); v == 2 {
			close(secondSeen)
		}
		return true
	})
	if err != nil || !slices.Equal(got, []int{2, 1}) {
		t.Errorf("got %v, %v", got, err)
	}
}

// One observer leaves after item 1; does another one get item 2?
func TestHotObservableIsHeldUpByAnObserverThatLeft(t *testing.T) {
	connectable := func(strategy rxgo.BackpressureStrategy) func(context.Context, <-chan rxgo.Item) rxgo.Observable {
		return func(ctx context.Context, next <-chan rxgo.Item) rxgo.Observable {
			o := rxgo.FromChannel(next, rxgo.WithPublishStrategy(), rxgo.WithBackPressureStrategy(strategy))
			o.Connect(ctx)
			return o
		}
	}
	eventSource := func(strategy rxgo.BackpressureStrategy) func(context.Context, <-chan rxgo.Item) rxgo.Observable {
		return func(ctx context.Context, next <-chan rxgo.Item) rxgo.Observable {
			return rxgo.FromEventSource(next, rxgo.WithContext(ctx), rxgo.WithBackPressureStrategy(strategy))
		}
	}
	for name, test := range map[string]struct {
		hot    func(context.Context, <-chan rxgo.Item) rxgo.Observable
		heldUp bool
		closed bool // whether the end of the context closes the channels of the others
	}{
		"event source, block": {eventSource(rxgo.Block), true, false},
		"event source, drop":  {eventSource(rxgo.Drop), false, true},
		"connectable":         {connectable(rxgo.Block), true, false},
		"connectable, drop":   {connectable(rxgo.Drop), true, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				next := make(chan rxgo.Item)
				hot := test.hot(ctx, next)
				var abandoned <-chan rxgo.Item
				go first(t.Context(), rx.FromRxGo[int](observeFunc(func(opts ...rxgo.Option) <-chan rxgo.Item {
					abandoned = hot.Observe(opts...)
					return abandoned
				})), 1)
				synctest.Wait()
				other := hot.Observe(rxgo.WithBufferedChannel(8))
				for i := range 2 {
					next <- rxgo.Of(i)
					synctest.Wait()
				}
				if heldUp := len(other) == 1; heldUp != test.heldUp {
					t.Errorf("held up: %t, want %t", heldUp, test.heldUp)
				}
				cancel()
				synctest.Wait()
				for len(other) > 0 {
					<-other
				}
				select {
				case <-other:
					if !test.closed {
						t.Error("the channel of the other observer was closed")
					}
				default:
					if test.closed {
						t.Error("the channel of the other observer was not closed")
					}
				}
				select { // lets the connectable's goroutine go, which no context can
				case <-abandoned:
				default:
				}
			})
		})
	}
}

// While a hot observable is held up, its Observe waits for a lock; FromRxGo does not.
func TestContextStopsWhileObserving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := make(chan rxgo.Item)
		hot := rxgo.FromEventSource(next)
		slow := hot.Observe()
		next <- rxgo.Of(1)
		synctest.Wait() // held up, with the lock
		ctx, cancel := context.WithCancelCause(t.Context())
		returned := make(chan struct{})
		o := observeFunc(func(opts ...rxgo.Option) <-chan rxgo.Item {
			go cancel(errEnd)
			defer close(returned)
			return hot.Observe(opts...)
		})
		if _, err := first(ctx, rx.FromRxGo[int](o), -1); err != errEnd {
			t.Errorf("got %v, want the cause", err)
		}
		select {
		case <-returned:
			t.Error("Observe did not wait")
		default:
		}
		<-slow
		<-returned
		close(next)
	})
}
