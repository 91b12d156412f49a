package rx_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/reactivex/rxgo/v2"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/rx"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errEnd = errors.New("end")

// A source is a cold observable that counts the subscriptions running at the moment.
type source struct {
	values []int
	end    error // what ends it after the values
	idle   bool  // after the values it waits for its context instead
	active atomic.Int32
}

func (s *source) subscribe(ctx context.Context, yield func(int) bool) error {
	s.active.Add(1)
	defer s.active.Add(-1)
	for _, v := range s.values {
		if !yield(v) {
			return nil
		}
	}
	if s.idle {
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return s.end
}

// first subscribes to o and stops after n values, or at the end if n is negative.
func first[T any](ctx context.Context, o stream.Observable[T], n int) ([]T, error) {
	var got []T
	err := o(ctx, func(v T) bool {
		got = append(got, v)
		return len(got) != n
	})
	return got, err
}

// stages are RxGo operators with what they do to a slice.
var stages = []struct {
	rx    func(rxgo.Observable) rxgo.Observable
	model func([]int) []int
}{
	{
		func(o rxgo.Observable) rxgo.Observable {
			return o.Map(func(_ context.Context, v any) (any, error) { return v.(int) + 1, nil })
		},
		func(values []int) (mapped []int) {
			for _, v := range values {
				mapped = append(mapped, v+1)
			}
			return mapped
		},
	},
	{
		func(o rxgo.Observable) rxgo.Observable {
			return o.Filter(func(v any) bool { return v.(int)%2 == 0 })
		},
		func(values []int) []int {
			return slices.DeleteFunc(slices.Clone(values), func(v int) bool { return v%2 != 0 })
		},
	},
}

// The way through RxGo and back changes nothing but what its operators change, wherever the
// subscriber stops; and the stream inside never outlives the one outside.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := &source{
			values: rapid.SliceOfN(rapid.Int(), 0, 12).Draw(t, "values"),
			end:    rapid.SampledFrom([]error{nil, errEnd}).Draw(t, "end"),
		}
		options := []rxgo.Option{rxgo.WithBufferedChannel(rapid.IntRange(0, 3).Draw(t, "buffer"))}
		between, want := rx.ToRxGo(src.subscribe, options...), slices.Clone(src.values)
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(stages)-1), 0, 3).Draw(t, "stages") {
			between, want = stages[i].rx(between), stages[i].model(want)
		}
		n, wantErr := rapid.IntRange(-1, len(want)).Draw(t, "n"), src.end
		if n > 0 {
			want, wantErr = want[:n], nil
		}
		o := rx.FromRxGo[int](between, options...)
		for range 2 { // cold
			got, err := first(t.Context(), o, n)
			if active := src.active.Load(); active != 0 {
				t.Fatalf("%d streams inside are still running", active)
			}
			if !slices.Equal(got, want) || err != wantErr {
				t.Fatalf("got %v, %v, want %v, %v", got, err, want, wantErr)
			}
		}
	})
}

func TestContextStopsToRxGo(t *testing.T) {
	values := []int{0, 1, 2, 3}
	for k := range len(values) + 1 {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			src := &source{values: values, idle: true}
			items := rx.ToRxGo(src.subscribe).Observe(rxgo.WithContext(ctx))
			for want := range k {
				if item := <-items; item.V != want {
					t.Fatalf("got %v, want %d", item, want)
				}
			}
			synctest.Wait() // blocked: sending item k, or idle
			cancel()
			synctest.Wait()
			// Nobody has read: what follows must be the close, not an error.
			if item, ok := <-items; ok {
				t.Errorf("after %d items: got %v after the end of the context", k, item)
			}
			if src.active.Load() != 0 {
				t.Errorf("after %d items: the stream is still running", k)
			}
		})
	}
}

// Where RxGo itself takes no notice of the context, FromRxGo does.
func TestContextStopsFromRxGo(t *testing.T) {
	for name, o := range map[string]func(context.Context) rxgo.Observable{
		"a channel never shut": func(context.Context) rxgo.Observable { return rxgo.Never() },
		"a hot observable": func(ctx context.Context) rxgo.Observable {
			return rxgo.FromEventSource(make(chan rxgo.Item), rxgo.WithContext(ctx))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hot, end := context.WithCancel(t.Context())
				defer end()
				ctx, cancel := context.WithCancelCause(t.Context())
				result := make(chan error, 1)
				go func() {
					_, err := first(ctx, rx.FromRxGo[int](o(hot)), -1)
					result <- err
				}()
				synctest.Wait()
				cancel(errEnd)
				if err := <-result; err != errEnd {
					t.Errorf("got %v, want the cause", err)
				}
			})
		})
	}
}

// A hot observable keeps every observer for ever, so a subscription that is over must not become one.
func TestEndedContextObservesNothing(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errEnd)
	observe := observeFunc(func(...rxgo.Option) <-chan rxgo.Item { t.Error("observed"); return nil })
	if _, err := first(ctx, rx.FromRxGo[int](observe), -1); err != errEnd {
		t.Errorf("got %v, want the cause", err)
	}
}

// RxGo starts producers on goroutines of their own, which may come late.
func TestNothingStartsInsideAfterTheEnd(t *testing.T) {
	var inner []rxgo.Option
	_, err := first(t.Context(), rx.FromRxGo[int](observeFunc(func(opts ...rxgo.Option) <-chan rxgo.Item {
		inner = opts
		return rxgo.Empty().Observe()
	})), -1)
	if err != nil {
		t.Fatal(err)
	}
	o := rx.ToRxGo(func(context.Context, func(int) bool) error { t.Error("subscribed"); return nil })
	for item := range o.Observe(inner...) {
		t.Errorf("got %v", item)
	}
}

func TestTypes(t *testing.T) {
	_, err := first(t.Context(), rx.FromRxGo[int](rxgo.Just(1, "two")()), -1)
	var wrong *rx.TypeError
	if !errors.As(err, &wrong) || wrong.Want != reflect.TypeFor[int]() || wrong.Got != reflect.TypeFor[string]() {
		t.Errorf("got %v, want a TypeError", err)
	}
	// Nil is a value of an interface type, although no type assertion finds it; not of another.
	nils := stream.Observable[error](func(_ context.Context, yield func(error) bool) error {
		yield(nil)
		return nil
	})
	got, err := first(t.Context(), rx.FromRxGo[error](rx.ToRxGo(nils)), -1)
	if err != nil || len(got) != 1 || got[0] != nil {
		t.Errorf("got %v, %v, want one nil", got, err)
	}
	_, err = first(t.Context(), rx.FromRxGo[*int](rx.ToRxGo(nils)), -1)
	if !errors.As(err, &wrong) || wrong.Got != nil {
		t.Errorf("got %v, want a TypeError for nil", err)
	}
	// An error as a value is not an error item.
	values := stream.Observable[error](func(_ context.Context, yield func(error) bool) error {
		yield(errEnd)
		return nil
	})
	got, err = first(t.Context(), rx.FromRxGo[error](rx.ToRxGo(values)), -1)
	if err != nil || !slices.Equal(got, []error{errEnd}) {
		t.Errorf("got %v, %v, want one value", got, err)
	}
}

// Concurrent observers share the option slice of ToRxGo, and concurrent subscriptions that of
// FromRxGo; none may see the context of another.
func TestOptionsAreNotShared(t *testing.T) {
	options := make([]rxgo.Option, 0, 8)
	src := &source{values: []int{1, 2, 3}}
	o := rx.FromRxGo[int](rx.ToRxGo(src.subscribe, options...), options...)
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			for range 100 {
				if got, err := first(t.Context(), o, n); err != nil || n > 0 && len(got) != n {
					t.Errorf("got %v, %v, want %d values", got, err, n)
				}
			}
		})
	}
	all.Wait()
}

// observeFunc is an rxgo.Iterable.
type observeFunc func(...rxgo.Option) <-chan rxgo.Item

func (f observeFunc) Observe(opts ...rxgo.Option) <-chan rxgo.Item { return f(opts...) }
