package autoconfig_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/internal/testkit"
)

func TestCloseInterruptsTheFirstRetries(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Next(repeat(100, autoconfigtest.Status(503))...)
		c := testkit.Open(t, testkit.To(srv))
		m := manage(t, srv, recorder{})
		started := m.Start()
		testkit.Pass(10 * time.Minute) // the delays are as long as they get
		began := time.Now()
		m.Close()
		c.Close()
		if d := time.Since(began); d != 0 {
			t.Errorf("it took %v to close", d)
		}
		if err := outcome(started); err != nil {
			t.Errorf("the channel of Start has %v; Relay's caller exits the process on any error", *err)
		}
	})
}

// TestOneConnectionAtATime checks that several reasons to reconnect, at once or while a retry is pending,
// lead to one connection.
func TestOneConnectionAtATime(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
		c := testkit.Open(t, testkit.To(srv))
		synctest.Wait()
		srv.Reconnect()
		srv.SendEvent("patch", "malformed")
		srv.Reconnect()
		srv.EndConnections()
		synctest.Wait()
		srv.Reconnect() // to nobody, since the retry is pending
		testkit.Pass(time.Minute)
		if s := c.Stats(); s.Attempts != 2 || s.ReconnectRequests != 1 {
			t.Errorf("%d attempts, %d requests to reconnect followed", s.Attempts, s.ReconnectRequests)
		}
		if n := srv.Connections(); n != 1 {
			t.Errorf("%d connections are open", n)
		}
	})
}
