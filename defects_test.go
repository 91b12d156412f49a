package autoconfig_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
)

func TestCloseInterruptsTheFirstRetries(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Next(repeat(100, autoconfigtest.Status(503))...)
		c := open(t, to(srv))
		m := manage(t, srv, recorder{})
		started := m.Start()
		pass(10 * time.Minute) // the delays are as long as they get
		began := time.Now()
		m.Close()
		c.Close()
		if d := time.Since(began); d != 0 {
			t.Errorf("it took %v to close", d)
		}
		if err := outcome(started); err == nil || *err != autoconfig.ErrClosed {
			t.Errorf("the channel of Start has %v", err)
		}
	})
}

// TestOneConnectionAtATime: reasons to reconnect that come while a retry is pending, or together, lead
// to one connection.
func TestOneConnectionAtATime(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(listing(environment("e1", 1)))
		c := open(t, to(srv))
		synctest.Wait()
		srv.Reconnect()
		srv.SendEvent("patch", "malformed")
		srv.Reconnect()
		srv.EndConnections()
		synctest.Wait()
		srv.Reconnect() // to nobody, since the retry is pending
		pass(time.Minute)
		if s := c.Stats(); s.Attempts != 2 || s.Reconnects != 1 {
			t.Errorf("%d attempts, %d requests to reconnect followed", s.Attempts, s.Reconnects)
		}
		if n := srv.Connections(); n != 1 {
			t.Errorf("%d connections are open", n)
		}
	})
}
