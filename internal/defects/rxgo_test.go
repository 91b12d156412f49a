package defects

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/reactivex/rxgo/v2"
)

// TestObserversShareItems: of an observable from a channel, each of two observers gets what the other does not.
func TestObserversShareItems(t *testing.T) {
	const n = 100
	items := make(chan rxgo.Item, n)
	rxgo.SendItems(t.Context(), items, rxgo.CloseChannel, make([]int, n))
	o := rxgo.FromChannel(items)
	got := 0
	for first, second := o.Observe(), o.Observe(); first != nil || second != nil; {
		open := true
		select {
		case _, open = <-first:
			if !open {
				first = nil
			}
		case _, open = <-second:
			if !open {
				second = nil
			}
		}
		if open {
			got++
		}
	}
	if got != n {
		t.Errorf("the two got %d of %d items together", got, n)
	}
}

// TestObserversBlockEachOther: of a published observable, one that does not read keeps the items from the other.
func TestObserversBlockEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, buffer = 100, 10
		ctx, cancel := context.WithCancel(t.Context())
		source := make(chan rxgo.Item)
		go rxgo.SendItems(ctx, source, rxgo.CloseChannel, make([]int, n))
		options := []rxgo.Option{rxgo.WithPublishStrategy(), rxgo.WithBufferedChannel(buffer), rxgo.WithContext(ctx)}
		o := rxgo.FromChannel(source, options...)
		asleep, awake := o.Observe(), o.Observe()
		o.Connect(ctx)
		got := 0
		go func() {
			for range awake {
				got++
			}
		}()
		synctest.Wait()
		if got > buffer+1 {
			t.Errorf("it got %d of %d items", got, n)
		}
		cancel()
		for range asleep { // until it is closed
		}
	})
}
