package stream_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

// A misuse is a call that must panic, with a sentence that names the operator.
type misuse struct {
	operator string
	call     func()
}

// TestMisuses of every operator.
func TestMisuses(t *testing.T) {
	for _, misuses := range [][]misuse{missing(), nonsense(), badCallbacks(t.Context())} {
		for _, m := range misuses {
			text := complaint(m.call)
			if want := "stream: " + m.operator + " "; !strings.HasPrefix(text, want) && !strings.Contains(text, "given to "+m.operator+" ") {
				t.Errorf("%s: %q", m.operator, text)
			}
		}
	}
}

func complaint(f func()) (text string) {
	defer func() { text, _ = recover().(string) }()
	f()
	return ""
}

// missing are calls without an observable or a function.
func missing() []misuse {
	o, none := stream.Just(1), ints(nil)
	p := stream.Policy[int]{}
	type group = func(int, ints) ints
	return []misuse{
		{"FromSeq", func() { stream.FromSeq[int](nil) }},
		{"FromSeq2", func() { stream.FromSeq2[int](nil) }},
		{"FromFunc", func() { stream.FromFunc[int](nil) }},
		{"Defer", func() { stream.Defer[int](nil) }},
		{"ForEach", func() { _ = o.ForEach(context.Background(), nil) }},
		{"ForEach", func() { _ = none.ForEach(context.Background(), func(int) error { return nil }) }},
		{"All", func() { none.All(context.Background()) }},
		{"Chan", func() { none.Chan(context.Background(), 0) }},
		{"Collect", func() { _, _ = none.Collect(context.Background()) }},
		{"First", func() { _, _ = none.First(context.Background()) }},
		{"Last", func() { _, _ = none.Last(context.Background()) }},
		{"Count", func() { _, _ = none.Count(context.Background()) }},
		{"Map", func() { stream.Map(none, identity) }},
		{"Map", func() { stream.Map[int, int](o, nil) }},
		{"MapErr", func() { stream.MapErr(none, func(v int) (int, error) { return v, nil }) }},
		{"MapErr", func() { stream.MapErr[int, int](o, nil) }},
		{"MapParallel", func() { stream.MapParallel(none, 1, doubled) }},
		{"MapParallel", func() { stream.MapParallel[int, int](o, 1, nil) }},
		{"Tap", func() { stream.Tap(none, func(int) {}) }},
		{"Tap", func() { stream.Tap(o, nil) }},
		{"Finally", func() { stream.Finally(none, func(error) {}) }},
		{"Finally", func() { stream.Finally(o, nil) }},
		{"Scan", func() { stream.Scan(none, 0, plus) }},
		{"Scan", func() { stream.Scan[int](o, 0, nil) }},
		{"Reduce", func() { stream.Reduce(none, 0, plus) }},
		{"Reduce", func() { stream.Reduce[int](o, 0, nil) }},
		{"Filter", func() { stream.Filter(none, even) }},
		{"Filter", func() { stream.Filter(o, nil) }},
		{"Take", func() { stream.Take(none, 1) }},
		{"TakeWhile", func() { stream.TakeWhile(none, even) }},
		{"TakeWhile", func() { stream.TakeWhile(o, nil) }},
		{"TakeLast", func() { stream.TakeLast(none, 1) }},
		{"TakeUntil", func() { stream.TakeUntil(none, o) }},
		{"TakeUntil", func() { stream.TakeUntil(o, none) }},
		{"Skip", func() { stream.Skip(none, 1) }},
		{"SkipWhile", func() { stream.SkipWhile(none, even) }},
		{"SkipWhile", func() { stream.SkipWhile(o, nil) }},
		{"SkipUntil", func() { stream.SkipUntil(none, o) }},
		{"SkipUntil", func() { stream.SkipUntil(o, none) }},
		{"Distinct", func() { stream.Distinct(none, identity) }},
		{"Distinct", func() { stream.Distinct[int, int](o, nil) }},
		{"DistinctUntilChanged", func() { stream.DistinctUntilChanged(none, identity) }},
		{"DistinctUntilChanged", func() { stream.DistinctUntilChanged[int, int](o, nil) }},
		{"DefaultIfEmpty", func() { stream.DefaultIfEmpty(none, 1) }},
		{"ThrowIfEmpty", func() { stream.ThrowIfEmpty(none, errMap) }},
		{"ThrowIfEmpty", func() { stream.ThrowIfEmpty(o, nil) }},
		{"Pairwise", func() { stream.Pairwise(none) }},
		{"Timestamp", func() { stream.Timestamp(none) }},
		{"TimeInterval", func() { stream.TimeInterval(none) }},
		{"Materialize", func() { stream.Materialize(none) }},
		{"Dematerialize", func() { stream.Dematerialize[int](nil) }},
		{"BatchCount", func() { stream.BatchCount(none, 1) }},
		{"BatchTime", func() { stream.BatchTime(none, 1, 1) }},
		{"BatchWhen", func() { stream.BatchWhen(none, o) }},
		{"BatchWhen", func() { stream.BatchWhen(o, none) }},
		{"Concat", func() { stream.Concat(o, none) }},
		{"ConcatAll", func() { stream.ConcatAll[int](nil) }},
		{"ConcatMap", func() { stream.ConcatMap(none, func(int) ints { return o }) }},
		{"ConcatMap", func() { stream.ConcatMap[int, int](o, nil) }},
		{"StartWith", func() { stream.StartWith(none, 1) }},
		{"Repeat", func() { stream.Repeat(none) }},
		{"Merge", func() { stream.Merge(none, o) }},
		{"MergeAll", func() { stream.MergeAll[int](nil, 1) }},
		{"FlatMap", func() { stream.FlatMap(none, 1, func(int) ints { return o }) }},
		{"FlatMap", func() { stream.FlatMap[int, int](o, 1, nil) }},
		{"SwitchMap", func() { stream.SwitchMap(none, func(int) ints { return o }) }},
		{"SwitchMap", func() { stream.SwitchMap[int, int](o, nil) }},
		{"GroupBy", func() { stream.GroupBy(none, identity, p, func(_ int, g ints) ints { return g }) }},
		{"GroupBy", func() { stream.GroupBy[int, int, int](o, nil, p, func(_ int, g ints) ints { return g }) }},
		{"GroupBy", func() { stream.GroupBy(o, identity, p, group(nil)) }},
		{"GroupByUntil", func() { stream.GroupByUntil(o, identity, p, group(nil), func(_ int, g ints) ints { return g }) }},
		{"CombineLatest", func() { stream.CombineLatest(none, o, plus) }},
		{"CombineLatest", func() { stream.CombineLatest[int, int, int](o, o, nil) }},
		{"CombineLatestSlice", func() { stream.CombineLatestSlice(o, none) }},
		{"WithLatestFrom", func() { stream.WithLatestFrom(o, none, plus) }},
		{"WithLatestFrom", func() { stream.WithLatestFrom[int, int, int](o, o, nil) }},
		{"Zip", func() { stream.Zip(o, none, plus) }},
		{"Zip", func() { stream.Zip[int, int, int](o, o, nil) }},
		{"Race", func() { stream.Race(o, none) }},
		{"Catch", func() { stream.Catch(none, func(error) ints { return o }) }},
		{"Catch", func() { stream.Catch(o, nil) }},
		{"OnErrorResume", func() { stream.OnErrorResume(o, none) }},
		{"Retry", func() { stream.Retry(none, times(1, 0)) }},
		{"Retry", func() { stream.Retry(o, nil) }},
		{"Backoff", func() { stream.Backoff(nil) }},
		{"Timeout", func() { stream.Timeout(none, 1) }},
		{"Delay", func() { stream.Delay(none, 1) }},
		{"Debounce", func() { stream.Debounce(none, 1) }},
		{"Sample", func() { stream.Sample(none, 1) }},
		{"SampleWhen", func() { stream.SampleWhen(none, o) }},
		{"SampleWhen", func() { stream.SampleWhen(o, none) }},
		{"Throttle", func() { stream.Throttle(none, 1) }},
		{"ThrottleLatest", func() { stream.ThrottleLatest(none, 1) }},
		{"Audit", func() { stream.Audit(none, 1) }},
		{"Buffer", func() { stream.Buffer(none, p) }},
		{"Share", func() { stream.Share(none, p) }},
		{"ShareWith", func() { stream.ShareWith(none, nil) }},
		{"Replay", func() { stream.Replay(none, 1, p) }},
		{"Coalesce", func() { stream.Coalesce[int, int](1, nil, mergeInts) }},
		{"Coalesce", func() { stream.Coalesce(1, key, nil) }},
		{"Subject.Update", func() { _ = stream.NewSubject[int]().Update(context.Background(), nil) }},
		{"Subject.View", func() { stream.NewSubject[int]().View(nil) }},
		{"Behavior.Update", func() { _ = stream.NewBehavior(1).Update(context.Background(), nil) }},
	}
}

// nonsense are calls with a number or a duration that makes no sense.
func nonsense() []misuse {
	o := stream.Just(1)
	return []misuse{
		{"Block", func() { stream.Block[int](0) }},
		{"DropOldest", func() { stream.DropOldest[int](0) }},
		{"DropNewest", func() { stream.DropNewest[int](-1) }},
		{"FailSlow", func() { stream.FailSlow[int](math.MinInt) }},
		{"Coalesce", func() { stream.Coalesce(0, key, mergeInts) }},
		{"Replay", func() { stream.Replay(o, 0, stream.Policy[int]{}) }},
		{"ShareWith", func() { stream.ShareWith(o, &stream.ShareOptions[int]{Replay: -1}) }},
		{"ShareWith", func() { stream.ShareWith(o, &stream.ShareOptions[int]{Replay: 1, MaxAge: -1}) }},
		{"NewReplaySubject", func() { stream.NewReplaySubject[int](0, time.Second) }},
		{"NewReplaySubject", func() { stream.NewReplaySubject[int](1, -1) }},
		{"FlatMap", func() { stream.FlatMap(o, 0, func(int) ints { return o }) }},
		{"MergeAll", func() { stream.MergeAll(stream.Just(o), 0) }},
		{"MapParallel", func() { stream.MapParallel(o, 0, doubled) }},
		{"BatchCount", func() { stream.BatchCount(o, 0) }},
		{"BatchTime", func() { stream.BatchTime(o, 0, 1) }},
		{"BatchTime", func() { stream.BatchTime(o, 1, 0) }},
		{"Interval", func() { stream.Interval(0) }},
		{"IntervalWithInitial", func() { stream.IntervalWithInitial(1, 0) }},
		{"Debounce", func() { stream.Debounce(o, 0) }},
		{"Sample", func() { stream.Sample(o, -1) }},
		{"Throttle", func() { stream.Throttle(o, 0) }},
		{"ThrottleLatest", func() { stream.ThrottleLatest(o, 0) }},
		{"Audit", func() { stream.Audit(o, 0) }},
		{"Timeout", func() { stream.Timeout(o, 0) }},
	}
}

// badCallbacks are subscriptions with a function that returns nothing to subscribe to.
func badCallbacks(ctx context.Context) []misuse {
	o, failing := stream.Just(1), stream.Fail[int](errEnd)
	return []misuse{
		{"Defer", func() { _, _ = stream.Defer(func() ints { return nil }).Collect(ctx) }},
		{"ConcatMap", func() { _, _ = stream.ConcatMap(o, func(int) ints { return nil }).Collect(ctx) }},
		{"SwitchMap", func() { _, _ = stream.SwitchMap(o, func(int) ints { return nil }).Collect(ctx) }},
		{"Catch", func() { _, _ = stream.Catch(failing, func(error) ints { return nil }).Collect(ctx) }},
		{"Retry", func() { _, _ = stream.Retry(failing, func() stream.RetryPolicy { return nil }).Collect(ctx) }},
	}
}
