package tally_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/internal/tally"
)

// TestPassingSince is that of the message being passed on, also for a caller who asks while it arrives: never that of
// the message before it, an hour earlier.
func TestPassingSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := tally.New()
		for i := range 20_000 { // about one of 1,000 meets the moment
			time.Sleep(time.Hour)
			arrived := make(chan struct{})
			go func() {
				for range i % 50 { // another moment each time
				}
				c.Passing(true)
				close(arrived)
			}()
			for range 50 {
				if since, ok := c.PassingSince(); ok && !since.Equal(time.Now()) {
					t.Fatalf("%v before it arrived", time.Since(since))
				}
			}
			<-arrived
			if since, ok := c.PassingSince(); !ok || !since.Equal(time.Now()) {
				t.Fatal(since, ok)
			}
			c.Passing(false)
			if _, ok := c.PassingSince(); ok {
				t.Fatal("it is still being passed on")
			}
		}
	})
}
