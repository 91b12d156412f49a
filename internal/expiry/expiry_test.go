package expiry_test

import (
	"math"
	"testing"
	"time"

	"github.com/relaystream/autoconfig/internal/expiry"
)

func TestTime(t *testing.T) {
	if got := expiry.Time(0); !got.IsZero() {
		t.Errorf("0 is %v, want never", got)
	}
	for milliseconds, want := range map[int64]int{
		math.MinInt64: 1970, -62135596800000: 1970, -1: 1970, 1: 1970, 1e12: 2001, 253402300799999: 9999, math.MaxInt64: 9999,
	} {
		got := expiry.Time(milliseconds)
		for _, zone := range []*time.Location{time.UTC, time.FixedZone("", 14*60*60)} {
			if got.IsZero() || got.In(zone).Year() != want {
				t.Errorf("%d is %v, want the year %d", milliseconds, got.In(zone), want)
			}
		}
	}
}
