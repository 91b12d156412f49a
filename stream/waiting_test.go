package stream_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

// TestWhatWaitsAtTheEnd: the README says what becomes of it.
func TestWhatWaitsAtTheEnd(t *testing.T) {
	never := stream.Never[int]()
	of := func(o stream.Observable[[]int]) ints { return stream.ConcatMap(o, stream.FromSlice[int]) }
	operators := map[string]func(ints) ints{
		"`ThrottleLatest`": func(o ints) ints { return stream.ThrottleLatest(o, time.Hour) },
		"`Audit`":          func(o ints) ints { return stream.Audit(o, time.Hour) },
		"`Debounce`":       func(o ints) ints { return stream.Debounce(o, time.Hour) },
		"`Sample`":         func(o ints) ints { return stream.Sample(o, time.Hour) },
		"`SampleWhen`":     func(o ints) ints { return stream.SampleWhen(o, never) },
		"`Throttle`":       func(o ints) ints { return stream.Throttle(o, time.Hour) },
		"`BatchCount`":     func(o ints) ints { return of(stream.BatchCount(o, 3)) },
		"`BatchTime`":      func(o ints) ints { return of(stream.BatchTime(o, 3, time.Hour)) },
		"`BatchWhen`":      func(o ints) ints { return of(stream.BatchWhen(o, never)) },
		"`Buffer`":         func(o ints) ints { return stream.Buffer(o, stream.Policy[int]{}) },
		"`Buffer` with `Coalesce`": func(o ints) ints {
			newest := func(_, newer int) (int, stream.Place) { return newer, stream.AtNewer }
			return stream.Buffer(o, stream.Coalesce(1, identity, newest))
		},
	}
	said := 0
	for _, row := range rows(t, "Which one") {
		if !strings.Contains(row[len(row)-1], "yielded") && !strings.Contains(row[len(row)-1], "dropped") && row[len(row)-1] != "there is none" {
			continue
		}
		names := strings.Split(row[1], ", ")
		for _, name := range names {
			operator := operators[name]
			if operator == nil {
				t.Errorf("no operator %s", name)
				continue
			}
			said++
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					for _, end := range []error{nil, errEnd} {
						// The first value may pass at once; the second one waits.
						values, _ := operator(stream.Concat(spaced(stream.Just(1, 2)), stream.Fail[int](end))).Collect(t.Context())
						yielded := slices.Contains(values, 2)
						if want := strings.Contains(row[2], "yielded") && (end == nil || strings.Contains(row[2], "error")); yielded != want {
							t.Errorf("with the end %v it is yielded: %t, but %q", end, yielded, row[2])
						}
					}
				})
			})
		}
	}
	if said != len(operators) {
		t.Errorf("%d operators of %d are in the README", said, len(operators))
	}
}
