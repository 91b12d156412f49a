package stamp_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/internal/stamp"
)

func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := stamp.New()
		if at := c.Last(); !at.IsZero() {
			t.Errorf("a new clock has recorded %v", at)
		}
		c.Record() // at its epoch, too
		if at := c.Last(); time.Since(at).Abs() > time.Microsecond {
			t.Errorf("recorded %v at %v", at, time.Now())
		}
		time.Sleep(time.Hour)
		c.Record()
		time.Sleep(time.Minute)
		if ago := time.Since(c.Last()); ago != time.Minute {
			t.Errorf("recorded %v ago, want 1m", ago)
		}
		other := c.Sibling()
		time.Sleep(time.Second)
		other.RecordAs(c.Sibling())
		if ago := time.Since(other.Last()).Abs(); ago > time.Microsecond {
			t.Errorf("recorded %v ago as a clock that recorded nothing, want the present", ago)
		}
		other.RecordAs(c)
		if at := other.Last(); !at.Equal(c.Last()) {
			t.Errorf("recorded %v as one that recorded %v", at, c.Last())
		}
	})
}
