package stream_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/relaystream/autoconfig/stream"
)

// failing is 1, 2 and then an error.
func failing() ints { return stream.Concat(stream.Just(1, 2), stream.Fail[int](errEnd)) }

// rude is 1 without end, and returns an error when it is asked to stop.
func rude(_ context.Context, yield func(int) bool) error {
	for yield(1) {
	}
	return errEnd
}

func TestCollectKeepsWhatCameBeforeTheError(t *testing.T) {
	values, err := failing().Collect(t.Context())
	if !slices.Equal(values, []int{1, 2}) || err != errEnd {
		t.Errorf("got %v, %v", values, err)
	}
}

func TestCount(t *testing.T) {
	if n, err := failing().Count(t.Context()); n != 2 || err != errEnd {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestFirst(t *testing.T) {
	for _, test := range []struct {
		name string
		o    ints
		want int
		err  error
	}{
		{"of several", stream.Just(1, 2), 1, nil},
		{"before a failure", failing(), 1, nil},
		{"of a source that makes an error of stopping", rude, 1, nil},
		{"of none", stream.Empty[int](), 0, stream.ErrEmpty},
		{"of a failure", stream.Fail[int](errEnd), 0, errEnd},
	} {
		if v, err := test.o.First(t.Context()); v != test.want || err != test.err {
			t.Errorf("%s: %d, %v, want %d, %v", test.name, v, err, test.want, test.err)
		}
	}
}

func TestForEachReturnsTheErrorOfItsFunction(t *testing.T) {
	for _, o := range []ints{stream.Just(1, 2), rude} {
		calls := 0
		err := o.ForEach(t.Context(), func(int) error {
			calls++
			return errMap
		})
		if err != errMap || calls != 1 {
			t.Errorf("%d calls, then %v", calls, err)
		}
	}
}

func TestAllYieldsTheErrorLast(t *testing.T) {
	var values []int
	var errs []error
	for v, err := range failing().All(t.Context()) {
		values, errs = append(values, v), append(errs, err)
	}
	if !slices.Equal(values, []int{1, 2, 0}) || !slices.Equal(errs, []error{nil, nil, errEnd}) {
		t.Errorf("got %v, %v", values, errs)
	}
	for _, err := range ints(rude).All(t.Context()) { // would panic if it went on after break
		if err != nil {
			t.Error(err)
		}
		break
	}
}

// TestChanStop: what stop returns, in each way that a sequence ends, and again.
func TestChanStop(t *testing.T) {
	waiting := stream.Concat(stream.Just(1, 2), stream.Never[int]())
	for _, test := range []struct {
		name   string
		o      ints
		read   int // how many values are read before stop; then close is waited for if negative
		cancel bool
		want   error
	}{
		{"at once", waiting, 0, false, nil},
		{"while it waits", waiting, 2, false, nil},
		{"while it sends", stream.FromSeq(naturals), 1, false, nil},
		{"while it sends and makes an error of stopping", rude, 1, false, nil},
		{"after completion", stream.Just(1, 2), -1, false, nil},
		{"after a failure", failing(), -1, false, errEnd},
		{"after a failure that nobody has seen", stream.Fail[int](errEnd), 0, false, errEnd},
		{"after a cancellation while it waits", waiting, 2, true, errCause},
		{"after a cancellation while it sends", stream.FromSeq(naturals), 1, true, errCause},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				values, stop := test.o.Chan(ctx, 0)
				for range test.read {
					<-values
				}
				if test.read < 0 {
					for range values {
					}
				}
				synctest.Wait()
				if test.cancel {
					cancel(errCause)
					synctest.Wait()
				}
				for range 2 {
					if err := stop(); err != test.want {
						t.Errorf("stop returned %v, want %v", err, test.want)
					}
				}
				if _, open := <-values; open {
					t.Error("the channel is not closed")
				}
			})
		})
	}
}

// TestChanNeedsNoStop: after the close of the channel nothing is left that stop would have to end.
func TestChanNeedsNoStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		values, _ := stream.Just(1).Chan(foreign{context.Background(), make(chan struct{})}, 1)
		for range values {
		}
	})
}

// foreign is a context that package context does not know, and so has to watch with a goroutine.
type foreign struct {
	context.Context
	done chan struct{}
}

func (f foreign) Done() <-chan struct{} { return f.done }

// TestDocumentedPanics: programmer's errors are told where they are made, not at the subscription.
func TestDocumentedPanics(t *testing.T) {
	for name, f := range map[string]func(){
		"Interval":   func() { stream.Interval(0) },
		"BatchCount": func() { stream.BatchCount(stream.Empty[int](), 0) },
		"Chan":       func() { stream.Empty[int]().Chan(t.Context(), -1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s did not panic", name)
				}
			}()
			f()
		}()
	}
}
