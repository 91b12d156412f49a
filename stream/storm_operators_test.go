package stream_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/stream"
)

// errExit stands in a model for the error that a runtime.Goexit becomes.
var errExit = errors.New("Goexit")

// A script is what a source does and when. No two scripts of a test do anything at the same time.
type script struct {
	At     []time.Duration // when each value comes
	Values []int
	End    string // "completes", "fails", "exits" or "waits"
	Last   time.Duration
}

// A happening is one step of one of several scripts.
type happening struct {
	at     time.Duration
	source int
	value  int
	end    string // "" for a value
}

func drawnScript(t *rapid.T, number, of int) script {
	s := script{End: rapid.SampledFrom([]string{"completes", "completes", "fails", "exits", "waits"}).Draw(t, "end")}
	at := time.Duration(0)
	step := func() time.Duration {
		at += time.Duration(rapid.IntRange(1, 9).Draw(t, "pause")*of) * time.Second
		return at + time.Duration(number)*time.Second
	}
	for range rapid.IntRange(0, 6).Draw(t, "values") {
		s.At = append(s.At, step())
		s.Values = append(s.Values, rapid.IntRange(0, 9).Draw(t, "value"))
	}
	s.Last = step()
	return s
}

// merged are the happenings of all scripts in the order of time.
func merged(scripts []script) (all []happening) {
	for i, s := range scripts {
		for k, v := range s.Values {
			all = append(all, happening{at: s.At[k], source: i, value: v})
		}
		if s.End != "waits" {
			all = append(all, happening{at: s.Last, source: i, end: s.End})
		}
	}
	slices.SortFunc(all, func(a, b happening) int { return cmp.Compare(a.at, b.at) })
	return all
}

func (h happening) err() error {
	switch h.end {
	case "fails":
		return errEnd
	case "exits":
		return errExit
	default:
		return nil
	}
}

// A stage is where scripts are played.
type stage struct {
	begin   time.Time
	running atomic.Int32
	latest  atomic.Int64 // when a source did something last
}

func (st *stage) play(s script) ints {
	return func(ctx context.Context, yield func(int) bool) error {
		st.running.Add(1)
		defer st.running.Add(-1)
		for i, v := range s.Values {
			if !st.until(ctx, s.At[i]) {
				return context.Cause(ctx)
			}
			if !yield(v) {
				return nil
			}
		}
		if s.End == "waits" {
			<-ctx.Done()
		}
		if !st.until(ctx, s.Last) {
			return context.Cause(ctx)
		}
		switch s.End {
		case "fails":
			return errEnd
		case "exits":
			runtime.Goexit()
		}
		return nil
	}
}

func (st *stage) until(ctx context.Context, at time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(at - time.Since(st.begin)):
	}
	if ctx.Err() != nil {
		return false
	}
	st.latest.Store(int64(at))
	return true
}

// A scene is an operator on as many sources, with its model, which says what is yielded for what
// happens: it returns what a subscriber sees, and how many of the happenings there are until its end.
type scene struct {
	name    string
	sources int
	inline  bool // the first source runs on the subscriber's goroutine, and waits for it
	apply   func(os []ints) ints
	model   func(all []happening, scripts int) (s sequence, happened int)
}

// ending gives the end of a model after a number of happenings.
func ending(values []int, all []happening, n int) (sequence, int) {
	if n > 0 && all[n-1].err() != nil {
		return sequence{values: values, err: all[n-1].err()}, n
	}
	return sequence{values: values}, n
}

// waiting is a model that has come to no end.
func waiting(values []int, all []happening) (sequence, int) {
	return sequence{values: values, endless: true}, len(all)
}

func mergeModel(all []happening, scripts int) (sequence, int) {
	var values []int
	for i, h := range all {
		switch {
		case h.end == "":
			values = append(values, h.value)
			continue
		case h.end == "completes":
			scripts--
		}
		if scripts == 0 || h.err() != nil {
			return ending(values, all, i+1)
		}
	}
	return waiting(values, all)
}

func combineModel(all []happening, _ int) (sequence, int) {
	var values []int
	var latest [2]int
	var has, done [2]bool
	for i, h := range all {
		if h.end == "" {
			latest[h.source], has[h.source] = h.value, true
			if has[0] && has[1] {
				values = append(values, 10*latest[0]+latest[1])
			}
			continue
		}
		done[h.source] = true
		if h.err() != nil || done[0] && done[1] || !has[h.source] {
			return ending(values, all, i+1)
		}
	}
	return waiting(values, all)
}

func zipModel(all []happening, _ int) (sequence, int) {
	var values []int
	var queues [2][]int
	var done [2]bool
	for i, h := range all {
		if h.end == "" {
			queues[h.source] = append(queues[h.source], h.value)
		}
		done[h.source] = done[h.source] || h.end != ""
		if len(queues[0]) > 0 && len(queues[1]) > 0 {
			values = append(values, 10*queues[0][0]+queues[1][0])
			queues[0], queues[1] = queues[0][1:], queues[1][1:]
		}
		if h.err() != nil || done[0] && len(queues[0]) == 0 || done[1] && len(queues[1]) == 0 {
			return ending(values, all, i+1)
		}
	}
	return waiting(values, all)
}

func raceModel(all []happening, _ int) (sequence, int) {
	if len(all) == 0 {
		return waiting(nil, all)
	}
	var values []int
	winner := all[0].source
	for i, h := range all {
		switch {
		case h.source != winner:
		case h.end == "":
			values = append(values, h.value)
		default:
			return ending(values, all, i+1)
		}
	}
	return waiting(values, all)
}

func latestModel(all []happening, _ int) (sequence, int) {
	var values []int
	latest := -1
	for i, h := range all {
		switch {
		case h.end == "" && h.source == 1:
			latest = h.value
		case h.end == "" && latest >= 0:
			values = append(values, 10*h.value+latest)
		case h.err() != nil || h.end != "" && h.source == 0:
			return ending(values, all, i+1)
		}
	}
	return waiting(values, all)
}

func scenes() []scene {
	digits := func(a, b int) int { return 10*a + b }
	third := func(v int) int { return v % 3 }
	id := func(_ int, group ints) ints { return group }
	same := func(_ context.Context, v int) (int, error) { return v, nil }
	return []scene{
		{"Merge", 3, false, func(os []ints) ints { return stream.Merge(os...) }, mergeModel},
		{"FlatMap", 3, false, func(os []ints) ints {
			return stream.FlatMap(stream.Just(os...), 3, func(o ints) ints { return o })
		}, mergeModel},
		{"CombineLatest", 2, false, func(os []ints) ints { return stream.CombineLatest(os[0], os[1], digits) }, combineModel},
		{"Zip", 2, false, func(os []ints) ints { return stream.Zip(os[0], os[1], digits) }, zipModel},
		{"Race", 3, false, func(os []ints) ints { return stream.Race(os...) }, raceModel},
		{"WithLatestFrom", 2, true, func(os []ints) ints { return stream.WithLatestFrom(os[0], os[1], digits) }, latestModel},
		{"SwitchMap", 1, false, func(os []ints) ints {
			return stream.SwitchMap(stream.Just(0), func(int) ints { return os[0] })
		}, mergeModel},
		{"GroupBy", 1, false, func(os []ints) ints { return stream.GroupBy(os[0], third, stream.Policy[int]{}, id) }, mergeModel},
		{"GroupByUntil", 1, false, func(os []ints) ints {
			quiet := func(_ int, group ints) ints { return stream.Debounce(group, 5*time.Second) }
			return stream.GroupByUntil(os[0], third, stream.Policy[int]{}, quiet, id)
		}, mergeModel},
		{"MapParallel", 1, false, func(os []ints) ints { return stream.MapParallel(os[0], 3, same) }, mergeModel},
		{"Buffer", 1, false, func(os []ints) ints { return stream.Buffer(os[0], stream.Block[int](9)) }, mergeModel},
		{"Share", 1, false, func(os []ints) ints { return stream.Share(os[0], stream.Policy[int]{}) }, mergeModel},
		{"Replay", 1, false, func(os []ints) ints { return stream.Replay(os[0], 2, stream.Policy[int]{}) }, mergeModel},
	}
}

// An audience is one subscriber: how slow it is, and when and how it leaves.
type audience struct {
	Pause time.Duration
	Leave string
	At    int
}

// watch subscribes for a day. It returns what was seen, and whether the subscriber left by itself.
func (a audience) watch(ctx context.Context, o ints) (seen sequence, left bool) {
	ctx, cancel := context.WithTimeoutCause(ctx, 24*time.Hour, errCause)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() { _ = recover() }()
		seen.err = o(ctx, func(v int) bool {
			seen.values = append(seen.values, v)
			time.Sleep(a.Pause)
			if len(seen.values) != a.At || a.Leave == "" {
				return true
			}
			left = true
			switch a.Leave {
			case "panics":
				panic(errBoom)
			case "exits":
				runtime.Goexit()
			}
			return false
		})
	}()
	<-ended
	return seen, left
}

// TestOperatorsUnderRandomSchedules: sources yield, complete, fail and exit at random times, and the
// subscriber is slow, stops, panics and exits. It sees what the model says, everything that came before
// an error; nothing does anything after that; and nothing is left. Run it for long with
//
//	go test -race -run OperatorsUnderRandomSchedules -rapid.checks=10000 -timeout=0 ./stream
func TestOperatorsUnderRandomSchedules(t *testing.T) {
	for _, sc := range scenes() {
		t.Run(sc.name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				var scripts []script
				for i := range sc.sources {
					scripts = append(scripts, drawnScript(rt, i, sc.sources))
				}
				a := audience{
					Leave: rapid.SampledFrom([]string{"", "", "stops", "panics", "exits"}).Draw(rt, "leave"),
					At:    rapid.IntRange(1, 8).Draw(rt, "at"),
				}
				if sc.inline {
					// A Goexit there is the subscriber's own.
					scripts[0].End = strings.Replace(scripts[0].End, "exits", "fails", 1)
				} else {
					a.Pause = time.Duration(rapid.SampledFrom([]int{0, 0, 1500, 60_500}).Draw(rt, "pause")) * time.Millisecond
				}
				var failure error
				synctest.Test(t, func(t *testing.T) { failure = sc.check(t.Context(), scripts, a) })
				if failure != nil {
					rt.Fatal(failure)
				}
			})
		})
	}
}

// check plays the scripts once.
func (sc scene) check(ctx context.Context, scripts []script, a audience) error {
	all := merged(scripts)
	want, happened := sc.model(all, len(scripts))
	st := &stage{begin: time.Now()}
	var os []ints
	for _, s := range scripts {
		os = append(os, st.play(s))
	}
	seen, left := a.watch(ctx, sc.apply(os))
	if n := st.running.Load(); n != 0 {
		return fmt.Errorf("%d sources are still running", n)
	}
	if left {
		want.values = want.values[:min(a.At, len(want.values))]
	}
	if !slices.Equal(seen.values, want.values) {
		return fmt.Errorf("saw %v, want %v", seen.values, want.values)
	}
	switch {
	case left:
		return nil
	case want.endless && seen.err != errCause, want.completes() && seen.err != nil, want.err == errEnd && seen.err != errEnd,
		want.err == errExit && (seen.err == nil || seen.err == errCause):
		return fmt.Errorf("ended with %v, want %+v", seen.err, want)
	case want.err != nil && time.Duration(st.latest.Load()) > all[happened-1].at:
		return fmt.Errorf("something happened at %v, after the error at %v", time.Duration(st.latest.Load()), all[happened-1].at)
	}
	return nil
}
