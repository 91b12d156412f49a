package stream_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

// A counted source yields 1, 2, … every second, and knows how many subscriptions there are.
type counted struct{ running, begun atomic.Int32 }

func (c *counted) observable() stream.Observable[int] {
	return func(ctx context.Context, yield func(int) bool) error {
		c.begun.Add(1)
		defer func() {
			time.Sleep(100 * time.Millisecond) // its end takes time
			c.running.Add(-1)
		}()
		if c.running.Add(1) > 1 {
			return errors.New("subscribed to twice at a time")
		}
		return paced(time.Second, time.Second, errBoom, 1, 2, 3, 4, 5)(ctx, yield)
	}
}

func TestShareIsOneSubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counted{}
		o := stream.Share(c.observable(), stream.Policy[int]{})
		first, second := subscribeFreely(o), subscribeFreely(o)
		time.Sleep(2500 * time.Millisecond)
		late := subscribeFreely(o)
		synctest.Wait()
		first.cancel(nil) // does not end it for the others
		time.Sleep(time.Second)
		second.stop()
		if <-second.result; c.running.Load() != 1 {
			t.Error("ended with a subscriber left")
		}
		time.Sleep(5 * time.Second)
		if err := <-late.result; err != errBoom {
			t.Error(err)
		}
		if got := fmt.Sprint(first.got, second.got, late.got, c.begun.Load()); got != "[1 2] [1 2 3] [3 4 5] 1" {
			t.Error(got)
		}
	})
}

// The last one to leave waits for the end of the source; who comes meanwhile begins anew, after it.
func TestShareBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counted{}
		o := stream.Share(c.observable(), stream.Policy[int]{})
		first := subscribeFreely(o)
		time.Sleep(1500 * time.Millisecond)
		first.stop()
		synctest.Wait()
		if len(first.result) != 0 || c.running.Load() != 1 {
			t.Error("the last subscriber did not wait for the source")
		}
		second := subscribeFreely(o)
		<-first.result
		time.Sleep(1200 * time.Millisecond)
		second.stop()
		<-second.result
		if got := fmt.Sprint(first.got, second.got, c.begun.Load(), c.running.Load()); got != "[1] [1] 2 0" {
			t.Error(got)
		}
	})
}

func TestReplayGivesTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := stream.Replay(paced(time.Second, time.Second, nil, 1, 2, 3, 4, 5), 2, stream.Policy[int]{})
		var want [][]int
		var subscribers []*freeSubscriber
		for k := range 5 {
			want = append(want, []int{1, 2, 3, 4, 5}[max(0, k-2):])
			subscribers = append(subscribers, subscribeFreely(o))
			time.Sleep(1001 * time.Millisecond)
		}
		for k, s := range subscribers {
			if err := <-s.result; err != nil || !slices.Equal(s.got, want[k]) {
				t.Errorf("subscriber %d got %v, %v, want %v", k, s.got, err, want[k])
			}
		}
	})
}

// Who comes after the source's end begins anew, though others are still busy with what it yielded.
func TestShareBeginsAnewAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counted{}
		o := stream.Share(c.observable(), stream.Policy[int]{})
		slow := make(chan int)
		go func() {
			n, _ := stream.Tap(o, func(int) { time.Sleep(time.Minute) }).Count(t.Context())
			slow <- n
		}()
		time.Sleep(30 * time.Second)
		if n, err := o.Count(t.Context()); n != 5 || err != errBoom {
			t.Error(n, err)
		}
		if n := <-slow; n != 5 {
			t.Error(n)
		}
	})
}

// A freeSubscriber takes what comes.
type freeSubscriber struct {
	got    []int
	result chan error
	cancel context.CancelCauseFunc
}

func subscribeFreely(o stream.Observable[int]) *freeSubscriber {
	s := &freeSubscriber{result: make(chan error, 1)}
	ctx, cancel := context.WithCancelCause(context.Background())
	s.cancel = cancel
	go func() {
		s.result <- o(ctx, func(v int) bool {
			s.got = append(s.got, v)
			return true
		})
	}()
	return s
}

func (s *freeSubscriber) stop() { s.cancel(errBoom) }
