package stream_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/stream"
)

// A play is what a source does: it yields the numbers of its times, and then ends. No two sources do
// anything at the same time.
type play struct {
	times []time.Duration
	end   time.Duration
	err   error
}

func drawPlay(t *rapid.T, source int) play {
	slots := rapid.SliceOfNDistinct(rapid.IntRange(1, 40), 1, 12, rapid.ID[int]).Draw(t, fmt.Sprint("slots of ", source))
	slices.Sort(slots)
	var p play
	for _, slot := range slots {
		p.times = append(p.times, time.Duration(10*slot+source)*time.Millisecond)
	}
	last := len(p.times) - 1
	p.times, p.end = p.times[:last], p.times[last]
	if rapid.Bool().Draw(t, fmt.Sprint("failure of ", source)) {
		p.err = errEnd
	}
	return p
}

func (p play) observable(ctx context.Context, yield func(int) bool) error {
	start := time.Now()
	for i, at := range append(slices.Clone(p.times), p.end) {
		select {
		case <-time.After(time.Until(start.Add(at))):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if i < len(p.times) && !yield(i) {
			return nil
		}
	}
	return p.err
}

// An event is one thing that a source does.
type event struct {
	at     time.Duration
	source int
	value  int
	ends   bool
	err    error
}

// events is what all plays do, in order.
func events(plays []play) []event {
	var all []event
	for i, p := range plays {
		for v, at := range p.times {
			all = append(all, event{at: at, source: i, value: v})
		}
		all = append(all, event{at: p.end, source: i, ends: true, err: p.err})
	}
	slices.SortFunc(all, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	return all
}

// A transcript is what a subscriber sees, and when.
type transcript []string

func (r *transcript) note(at time.Duration, v any) { *r = append(*r, fmt.Sprint(at, " ", v)) }

func recorded[T any](t *testing.T, o stream.Observable[T]) (r transcript) {
	start := time.Now()
	err := o(t.Context(), func(v T) bool {
		r.note(time.Since(start), v)
		return true
	})
	r.note(time.Since(start), fmt.Sprint("end ", err))
	return r
}

// pause is the duration that operators get. No multiple of it is a time at which a source does something.
const pause = 23*time.Millisecond + time.Nanosecond

// TestTimelines: operators that attend to several sources, or to a clock, do what a naive model does,
// which sees all events in order, at the same times.
func TestTimelines(t *testing.T) {
	for _, test := range []struct {
		name    string
		sources int
		run     func(*testing.T, []ints) transcript
		model   func([]event) transcript
	}{
		{"Audit", 1, func(t *testing.T, os []ints) transcript { return recorded(t, stream.Audit(os[0], pause)) }, audited},
		{"ThrottleLatest", 1, func(t *testing.T, os []ints) transcript { return recorded(t, stream.ThrottleLatest(os[0], pause)) }, throttled},
		{"BatchWhen", 2, func(t *testing.T, os []ints) transcript { return recorded(t, stream.BatchWhen(os[0], os[1])) }, batched},
		{"SampleWhen", 2, func(t *testing.T, os []ints) transcript { return recorded(t, stream.SampleWhen(os[0], os[1])) }, sampled},
		{"SkipUntil", 2, func(t *testing.T, os []ints) transcript { return recorded(t, stream.SkipUntil(os[0], os[1])) }, skipped},
		{"CombineLatestSlice", 3, func(t *testing.T, os []ints) transcript { return recorded(t, stream.CombineLatestSlice(os...)) }, combined},
	} {
		t.Run(test.name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				var plays []play
				var sources []ints
				for i := range test.sources {
					plays = append(plays, drawPlay(rt, i))
					sources = append(sources, plays[i].observable)
				}
				var got transcript
				synctest.Test(t, func(t *testing.T) { got = test.run(t, sources) })
				if want := test.model(events(plays)); !slices.Equal(got, want) {
					rt.Errorf("%v\ngot  %q\nwant %q", plays, got, want)
				}
			})
		})
	}
}

func audited(events []event) (r transcript) {
	waits, latest, due := false, 0, time.Duration(0)
	for _, e := range events {
		if waits && due < e.at {
			r.note(due, latest)
			waits = false
		}
		if e.ends {
			if waits && e.err == nil {
				r.note(e.at, latest)
			}
			r.note(e.at, fmt.Sprint("end ", e.err))
			continue
		}
		if !waits {
			due = e.at + pause
		}
		waits, latest = true, e.value
	}
	return r
}

func throttled(events []event) (r transcript) {
	waits, latest, opens := false, 0, time.Duration(0)
	for _, e := range events {
		if waits && opens < e.at {
			r.note(opens, latest)
			waits, opens = false, opens+pause
		}
		switch {
		case e.ends:
			if waits && e.err == nil {
				r.note(e.at, latest)
			}
			r.note(e.at, fmt.Sprint("end ", e.err))
		case opens < e.at:
			r.note(e.at, e.value)
			opens = e.at + pause
		default:
			waits, latest = true, e.value
		}
	}
	return r
}

func batched(events []event) (r transcript) {
	batch := []int{}
	for _, e := range events {
		switch {
		case e.ends && (e.source == 0 || e.err != nil):
			if e.err == nil {
				r.note(e.at, batch)
			}
			r.note(e.at, fmt.Sprint("end ", e.err))
			return r
		case e.ends:
		case e.source == 0:
			batch = append(batch, e.value)
		default:
			r.note(e.at, batch)
			batch = nil
		}
	}
	return r
}

func sampled(events []event) (r transcript) {
	waits, latest := false, 0
	for _, e := range events {
		switch {
		case e.ends && (e.source == 0 || e.err != nil):
			r.note(e.at, fmt.Sprint("end ", e.err))
			return r
		case e.ends:
		case e.source == 0:
			waits, latest = true, e.value
		case waits:
			r.note(e.at, latest)
			waits = false
		}
	}
	return r
}

func skipped(events []event) (r transcript) {
	open := false
	for _, e := range events {
		switch {
		case e.ends && (e.source == 0 || e.err != nil && !open):
			r.note(e.at, fmt.Sprint("end ", e.err))
			return r
		case e.ends:
		case e.source == 1:
			open = true
		case open:
			r.note(e.at, e.value)
		}
	}
	return r
}

func combined(events []event) (r transcript) {
	latest := []int{-1, -1, -1}
	left := len(latest)
	for _, e := range events {
		if !e.ends {
			if latest[e.source] = e.value; !slices.Contains(latest, -1) {
				r.note(e.at, latest)
			}
			continue
		}
		left--
		if e.err != nil || latest[e.source] < 0 || left == 0 {
			r.note(e.at, fmt.Sprint("end ", e.err))
			return r
		}
	}
	return r
}
