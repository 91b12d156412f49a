package stream_test

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/relaystream/autoconfig/stream"
)

// TestFinally: the function hears once of each way in which a subscription can end.
func TestFinally(t *testing.T) {
	cancelled, cancel := context.WithCancelCause(t.Context())
	cancel(errCause)
	more := func(int) bool { return true }
	unwound := func(err error) bool { return err != nil && err != errEnd && err != errCause }
	is := func(want error) func(error) bool { return func(err error) bool { return err == want } }
	for _, test := range []struct {
		name  string
		o     ints
		ctx   context.Context
		yield func(int) bool
		want  func(error) bool
	}{
		{"completion", stream.Just(1), t.Context(), more, is(nil)},
		{"failure", failing(), t.Context(), more, is(errEnd)},
		{"a subscriber that stops", failing(), t.Context(), func(int) bool { return false }, is(nil)},
		{"cancellation", stream.Just(1), cancelled, more, is(errCause)},
		{"a panic", stream.Just(1), t.Context(), func(int) bool { panic(errMap) }, unwound},
		{"Goexit", stream.Just(1), t.Context(), func(int) bool { runtime.Goexit(); return true }, unwound},
	} {
		t.Run(test.name, func(t *testing.T) {
			var ends []error
			o := stream.Finally(test.o, func(err error) { ends = append(ends, err) })
			var subscriber sync.WaitGroup
			subscriber.Go(func() {
				defer func() {
					if thrown := recover(); thrown != nil && thrown != errMap {
						panic(thrown)
					}
				}()
				_ = o(test.ctx, test.yield)
			})
			subscriber.Wait()
			if len(ends) != 1 || !test.want(ends[0]) {
				t.Errorf("the function got %v", ends)
			}
		})
	}
}

// TestFinallyComesBeforeTheEnd: a subscriber that sees the end can count on what the function did.
func TestFinallyComesBeforeTheEnd(t *testing.T) {
	var order []string
	o := stream.Finally(stream.Just("value"), func(error) { order = append(order, "function") })
	_ = o.ForEach(t.Context(), func(v string) error {
		order = append(order, v)
		return nil
	})
	order = append(order, "end")
	if want := []string{"value", "function", "end"}; !slices.Equal(order, want) {
		t.Errorf("got %v, want %v", order, want)
	}
}
