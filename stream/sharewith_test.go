package stream_test

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/streamtest"
)

// TestShareWithEnds: what a newcomer gets after the source has ended, by the options.
func TestShareWithEnds(t *testing.T) {
	for _, test := range []struct {
		opts *stream.ShareOptions[int]
		end  error
		want string // what two subscribers get, one after the other, and how many subscriptions there were
	}{
		{nil, nil, "[1 2 3] <nil>, [1 2 3] <nil>: 2"},
		{nil, errEnd, "[1 2 3] the source's error, [1 2 3] the source's error: 2"},
		{&stream.ShareOptions[int]{KeepCompletion: true}, nil, "[1 2 3] <nil>, [] <nil>: 1"},
		{&stream.ShareOptions[int]{KeepCompletion: true}, errEnd, "[1 2 3] the source's error, [1 2 3] the source's error: 2"},
		{&stream.ShareOptions[int]{KeepError: true}, errEnd, "[1 2 3] the source's error, [] the source's error: 1"},
		{&stream.ShareOptions[int]{KeepError: true}, nil, "[1 2 3] <nil>, [1 2 3] <nil>: 2"},
		{&stream.ShareOptions[int]{Replay: 2}, nil, "[1 2 3] <nil>, [1 2 3] <nil>: 2"},
		{&stream.ShareOptions[int]{Replay: 2, KeepCompletion: true}, nil, "[1 2 3] <nil>, [2 3] <nil>: 1"},
		{&stream.ShareOptions[int]{Replay: 2, KeepError: true}, errEnd, "[1 2 3] the source's error, [2 3] the source's error: 1"},
		{&stream.ShareOptions[int]{Replay: math.MaxInt, KeepCompletion: true}, nil, "[1 2 3] <nil>, [1 2 3] <nil>: 1"},
	} {
		t.Run(fmt.Sprintf("%+v, %v", test.opts, test.end), func(t *testing.T) {
			subscriptions := 0
			shared := stream.ShareWith(stream.Defer(func() ints {
				subscriptions++
				return stream.Concat(stream.Just(1, 2, 3), stream.Fail[int](test.end))
			}), test.opts)
			got := fmt.Sprint(outcomeOf(t, shared), ", ", outcomeOf(t, shared), ": ", subscriptions)
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestShareWithForgetsWithItsLastSubscriber: options do not keep what no subscriber needs.
func TestShareWithForgetsWithItsLastSubscriber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counted{}
		o := stream.ShareWith(c.observable(), &stream.ShareOptions[int]{Replay: 5, KeepCompletion: true, KeepError: true})
		for range 2 {
			if got := outcomeOf(t, stream.Take(o, 2)); got != "[1 2] <nil>" || c.running.Load() != 0 {
				t.Errorf("got %s, with %d running", got, c.running.Load())
			}
		}
	})
}

// TestShareWithMaxAge: a newcomer gets the values that are young enough.
func TestShareWithMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := stream.ShareWith(paced(time.Second, time.Second, nil, 1, 2, 3, 4, 5, 6),
			&stream.ShareOptions[int]{Replay: 10, MaxAge: 2500 * time.Millisecond})
		first := subscribeFreely(o)
		time.Sleep(4200 * time.Millisecond)
		second := subscribeFreely(o)
		<-first.result
		<-second.result
		if got := fmt.Sprint(first.got, second.got); got != "[1 2 3 4 5 6] [2 3 4 5 6]" {
			t.Error(got)
		}
	})
}

// TestShareWithConforms: it keeps the contract while nobody has seen its end.
func TestShareWithConforms(t *testing.T) {
	streamtest.Test(t, func() ints {
		return stream.ShareWith(failing(), &stream.ShareOptions[int]{Replay: 1, KeepError: true})
	}, []int{1, 2}, &streamtest.Options{Err: errEnd, Hot: true})
}
