package streamtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

var errTest = errors.New("the end that was expected")

// ints is a correct source of 1, 2, 3, as close to the broken ones below as can be.
func ints(ctx context.Context, yield func(int) bool) error {
	for v := range 3 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !yield(v + 1) {
			return nil
		}
	}
	return nil
}

// A fault is a way to break the contract. Its observable means to be 1, 2, 3.
type fault struct {
	name string
	// rule is the rule that must be reported, 0 for a wrong sequence.
	rule int
	// observable makes a broken one. Goroutines that it leaves behind end when release is closed, or
	// else the bubble could not.
	observable func(release <-chan struct{}) stream.Observable[int]
	options    Options
}

// of is for faults that leave nothing behind.
func of(o stream.Observable[int]) func(<-chan struct{}) stream.Observable[int] {
	return func(<-chan struct{}) stream.Observable[int] { return o }
}

// anything allows as much as can be allowed.
var anything = Options{Hot: true, Lossy: true}

var faults = []fault{
	{name: "a value is missing", rule: 0, observable: of(stream.Just(1, 2)), options: anything},
	{name: "a value too many", rule: 0, observable: of(stream.Just(1, 2, 3, 4)), options: anything},
	{name: "another order", rule: 0, observable: of(stream.Just(1, 3, 2)), options: anything},
	{name: "an error instead of completion", rule: 0, observable: of(stream.Concat(ints, stream.Fail[int](errTest)))},
	{name: "completion instead of an error", rule: 0, observable: of(ints), options: Options{Err: errTest}},
	{name: "no end", rule: 0, observable: of(stream.Concat(ints, stream.Never[int]()))},
	{name: "an end instead of none", rule: 4, observable: of(ints), options: Options{Endless: true}},

	{name: "yields on another goroutine", rule: 1, observable: of(func(ctx context.Context, yield func(int) bool) error {
		var err error
		var source sync.WaitGroup
		source.Go(func() { err = ints(ctx, yield) })
		source.Wait()
		return err
	})},
	{name: "yields after its return", rule: 1, observable: of(func(ctx context.Context, yield func(int) bool) error {
		defer time.AfterFunc(time.Minute, func() { yield(4) })
		return ints(ctx, yield)
	})},

	{name: "leaves a goroutine that waits for the context", rule: 2, observable: func(release <-chan struct{}) stream.Observable[int] {
		return func(ctx context.Context, yield func(int) bool) error {
			go func() {
				select {
				case <-ctx.Done():
				case <-release:
				}
			}()
			return ints(ctx, yield)
		}
	}},
	{name: "leaves a goroutine that ends by itself, later", rule: 2, observable: of(func(ctx context.Context, yield func(int) bool) error {
		go time.Sleep(time.Millisecond)
		return ints(ctx, yield)
	})},

	{name: "goes on for ever", rule: 3, observable: of(func(_ context.Context, yield func(int) bool) error {
		for v := 1; ; v++ {
			yield(v)
		}
	})},
	{name: "returns an error after false", rule: 3, observable: of(func(ctx context.Context, yield func(int) bool) error {
		stopped := false
		err := ints(ctx, func(v int) bool {
			stopped = !yield(v)
			return !stopped
		})
		if stopped {
			return errTest
		}
		return err
	})},
	{name: "returns the cause after false", rule: 3, observable: of(func(ctx context.Context, yield func(int) bool) error {
		return errors.Join(ints(ctx, yield), context.Cause(ctx))
	})},
	{name: "takes its time after false", rule: 3, observable: of(func(ctx context.Context, yield func(int) bool) error {
		return ints(ctx, func(v int) bool {
			if !yield(v) {
				time.Sleep(time.Nanosecond)
				return false
			}
			return true
		})
	})},
	{name: "blocks after false", rule: 3, observable: func(release <-chan struct{}) stream.Observable[int] {
		return func(ctx context.Context, yield func(int) bool) error {
			return ints(ctx, func(v int) bool {
				if !yield(v) {
					<-release
					return false
				}
				return true
			})
		}
	}},

	{name: "ignores the context", rule: 4, observable: of(func(_ context.Context, yield func(int) bool) error {
		return ints(context.Background(), yield)
	})},
	{name: "looks at the context only at the beginning", rule: 4, observable: of(func(ctx context.Context, yield func(int) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return ints(context.Background(), yield)
	})},
	{name: "ignores the context before it begins", rule: 4, observable: of(func(ctx context.Context, yield func(int) bool) error {
		for v := range 3 {
			if !yield(v + 1) {
				return nil
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
		return nil
	})},
	{name: "ignores the context while it waits", rule: 4, observable: func(release <-chan struct{}) stream.Observable[int] {
		return func(ctx context.Context, yield func(int) bool) error {
			if err := ints(ctx, yield); err != nil || ctx.Err() != nil {
				return context.Cause(ctx)
			}
			<-release
			return nil
		}
	}, options: Options{Endless: true}},
	{name: "sleeps through the cancellation", rule: 4, observable: of(func(ctx context.Context, yield func(int) bool) error {
		time.Sleep(time.Second)
		return ints(ctx, yield)
	})},
	{name: "returns ctx.Err() and not the cause", rule: 4, observable: of(func(ctx context.Context, yield func(int) bool) error {
		if err := ints(ctx, yield); err == nil || ctx.Err() == nil {
			return err
		}
		return ctx.Err()
	})},
	{name: "takes cancellation for completion", rule: 4, observable: of(func(ctx context.Context, yield func(int) bool) error {
		_ = ints(ctx, yield)
		return nil
	})},

	{name: "takes cancellation for its end while that is due", rule: 4, observable: of(func(ctx context.Context, yield func(int) bool) error {
		if err := ints(ctx, yield); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
		return nil
	})},

	{name: "drops what is not taken at once", rule: 5, observable: of(func(ctx context.Context, yield func(int) bool) error {
		start := time.Now()
		return ints(ctx, func(v int) bool { return time.Since(start) > 0 || yield(v) })
	})},

	{name: "swallows a panic", rule: 6, observable: of(func(ctx context.Context, yield func(int) bool) error {
		defer func() { _ = recover() }()
		return ints(ctx, yield)
	})},
	{name: "swallows a panic and goes on", rule: 6, observable: of(func(ctx context.Context, yield func(int) bool) error {
		return ints(ctx, func(v int) bool {
			defer func() { _ = recover() }()
			return yield(v)
		})
	})},
	{name: "leaves a goroutine when yield panics", rule: 6, observable: func(release <-chan struct{}) stream.Observable[int] {
		return func(ctx context.Context, yield func(int) bool) error {
			ended := make(chan struct{})
			go func() {
				select {
				case <-ended:
				case <-release:
				}
			}()
			err := ints(ctx, yield)
			close(ended)
			return err
		}
	}},

	{name: "cleans up after a panic, but not after Goexit", rule: 6, observable: func(release <-chan struct{}) stream.Observable[int] {
		return func(ctx context.Context, yield func(int) bool) error {
			ended := make(chan struct{})
			defer func() {
				if p := recover(); p != nil {
					close(ended)
					panic(p)
				}
			}()
			go func() {
				select {
				case <-ended:
				case <-release:
				}
			}()
			err := ints(ctx, yield)
			close(ended)
			return err
		}
	}},

	{name: "keeps a lock when it is stopped", rule: 2, observable: locking("stop")},
	{name: "keeps a lock when it is cancelled", rule: 2, observable: locking("cancel")},
	{name: "keeps a lock when yield panics", rule: 2, observable: locking("panic")},
	{name: "keeps a lock when yield exits", rule: 2, observable: locking("exit")},
	{name: "fails for ever after an early stop", rule: 0, observable: remembering(func(after []string) bool {
		return slices.Contains(after, "stop")
	})},
	{name: "fails for ever after a cancellation", rule: 0, observable: remembering(func(after []string) bool {
		return slices.Contains(after, "cancel")
	})},
	{name: "fails after a panic that followed an early stop", rule: 0, observable: remembering(func(after []string) bool {
		return len(after) > 1 && slices.Equal(after[len(after)-2:], []string{"stop", "panic"})
	})},
	{name: "fails after a cancellation that followed a panic", rule: 0, observable: remembering(func(after []string) bool {
		return len(after) > 1 && slices.Equal(after[len(after)-2:], []string{"panic", "cancel"})
	})},
	{name: "leaves a timer", rule: 2, observable: of(func(ctx context.Context, yield func(int) bool) error {
		defer time.AfterFunc(time.Hour, func() {})
		return ints(ctx, yield)
	})},
	{name: "leaves a timer when it is stopped", rule: 2, observable: of(func(ctx context.Context, yield func(int) bool) error {
		timer := time.AfterFunc(time.Hour, func() {})
		stopped := false
		err := ints(ctx, func(v int) bool {
			stopped = !yield(v)
			return !stopped
		})
		if !stopped {
			timer.Stop()
		}
		return err
	})},

	{name: "counts for all subscriptions together", rule: 0, observable: func(<-chan struct{}) stream.Observable[int] {
		var left atomic.Int32
		left.Store(3)
		return func(ctx context.Context, yield func(int) bool) error {
			return ints(ctx, func(v int) bool { return left.Add(-1) >= 0 && yield(v) })
		}
	}},
}

// ended is how a subscription to ints comes to its end, with the end itself.
func ended(ctx context.Context, yield func(int) bool, then func(how string)) error {
	how := "exit"
	defer func() {
		if p := recover(); p != nil {
			then("panic")
			panic(p)
		}
		then(how)
	}()
	err := ints(ctx, func(v int) bool {
		if !yield(v) {
			how = "stop"
			return false
		}
		return true
	})
	switch {
	case err != nil:
		how = "cancel"
	case how == "exit":
		how = "end"
	}
	return err
}

// locking returns an observable that keeps its mutex when it ends in the given way, until letGo.
func locking(way string) func(release <-chan struct{}) stream.Observable[int] {
	return func(<-chan struct{}) stream.Observable[int] {
		var mu sync.Mutex
		var found atomic.Bool
		letGo.Store(func() {
			found.Store(true)
			mu.TryLock()
			mu.Unlock()
		})
		return func(ctx context.Context, yield func(int) bool) error {
			if found.Load() {
				return ints(ctx, yield)
			}
			mu.Lock()
			return ended(ctx, yield, func(how string) {
				if how != way {
					mu.Unlock()
				}
			})
		}
	}
}

// letGo has a function that unlocks the mutex of locking, for the watch.
var letGo atomic.Value

// remembering returns an observable that fails if its earlier subscriptions have ended so.
func remembering(fails func(after []string) bool) func(release <-chan struct{}) stream.Observable[int] {
	return func(<-chan struct{}) stream.Observable[int] {
		var mu sync.Mutex
		var after []string
		return func(ctx context.Context, yield func(int) bool) error {
			mu.Lock()
			failing := fails(after)
			mu.Unlock()
			if failing {
				return errTest
			}
			return ended(ctx, yield, func(how string) {
				mu.Lock()
				defer mu.Unlock()
				after = append(after, how)
			})
		}
	}
}

// broken makes a fresh broken observable for each subscription, runs all checks and returns the
// rules that were reported.
func broken(t *testing.T, f fault) (rules []int) {
	stuck := make(chan breach, 100)
	w := &watch{patience: time.Second, found: func(b breach) {
		// A busy machine may stand still for a second, too.
		if letGo, ok := letGo.Load().(func()); ok && strings.Contains(b.text, "[sync.Mutex.Lock") {
			stuck <- b
			letGo()
		}
	}}
	defer func() {
		close(stuck)
		for b := range stuck {
			t.Log(b)
			rules = append(rules, b.rule)
		}
	}()
	defer w.begin(f.name)()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := &suite[int]{Options: f.options, want: []int{1, 2, 3}, watch: w}
		s.newObservable = func() stream.Observable[int] { return f.observable(release) }
		for _, c := range s.checks() {
			for _, b := range s.run(c.check) {
				t.Log(c.name, "→", b)
				rules = append(rules, b.rule)
			}
		}
		close(release)
		time.Sleep(time.Second) // for those that need no release
	})
	return rules
}

// TestFaultsAreFound breaks each rule in each way that has been thought of.
func TestFaultsAreFound(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			if rules := broken(t, f); !slices.Contains(rules, f.rule) {
				t.Errorf("reported were rules %v, want %d among them", rules, f.rule)
			}
		})
	}
}

// TestNoFaultIsFound: what the faults were made from has none, in virtual and in real time.
func TestNoFaultIsFound(t *testing.T) {
	source := func() stream.Observable[int] { return ints }
	Test(t, source, []int{1, 2, 3}, nil)
	Test(t, source, []int{1, 2, 3}, &Options{RealTime: true})
}

// TestEndlessSources: one that waits after its values, and one that never does.
func TestEndlessSources(t *testing.T) {
	t.Run("waiting", func(t *testing.T) {
		Test(t, func() stream.Observable[int] { return stream.Concat(ints, stream.Never[int]()) },
			[]int{1, 2, 3}, &Options{Endless: true})
	})
	t.Run("silent", func(t *testing.T) {
		Test(t, stream.Never[int], nil, &Options{Endless: true})
	})
	t.Run("going on", func(t *testing.T) {
		Test(t, func() stream.Observable[int] {
			return stream.FromSeq(func(yield func(int) bool) {
				for i := 1; yield(i); i++ {
				}
			})
		}, []int{1, 2, 3}, &Options{Endless: true})
	})
}
