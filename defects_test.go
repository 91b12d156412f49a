package autoconfig_test

// Defects that implementations of this stream are known for, and the tests that exclude each here. Those of
// eventsource, and of RxGo, are shown to be there by the tests in parentheses; the others are Relay's, which no
// module can import, or, of a retry field, eventsource's of before v1.14.
//
//   - Closing does not interrupt the retries before the first connection:
//     TestCloseInterruptsTheFirstRetries. (defects.TestNothingToCloseBeforeTheFirstConnection)
//   - Closing while something is being delivered deadlocks: TestCloseWithinTheHandler,
//     TestCloseWaitsForACallOfTheHandler, TestCloseWhileSubscribersHoldUpTheStream.
//     (defects.TestCloseWaitsForWhoReadsErrors)
//   - A goroutine is left behind by each read timeout, and by each key that is yet to expire when the
//     client is closed: TestTimeouts, TestTranscripts (key_rotation.txt), with the search for
//     goroutines that TestMain makes, and the end of every bubble. (defects.TestReadTimeoutLeaksAGoroutine)
//   - Two reasons to reconnect at a time open two connections, one of which is never closed:
//     TestOneConnectionAtATime. (defects.TestRestartDuringARetryLeaksAConnection)
//   - A connection counts as healthy from its last event on, so that a quiet stream, or a busy one,
//     never gets back to short delays: TestDelayStartsAfreshAfterAMinute.
//     (defects.TestHealthCountsFromTheLastEvent)
//   - Data of many lines takes quadratic time, and lines and error bodies are read without bound:
//     sse.TestWorkIsLinear, sse.TestMemoryIsBounded, sse.TestErrorBodyLimit.
//     (defects.TestLinesCostMoreTheMoreThereAre, defects.TestWithoutBound)
//   - A block without data is an empty event, logged as unknown: TestInputThatIsNotAsItShouldBe.
//     (defects.TestBlockWithoutDataIsAnEvent)
//   - An environment that a put omits stays known: it is deleted again by every later put, comes back as
//     an update, or never: TestTranscripts (reconnection.txt), diff.TestTableIsItsModel.
//   - The deletion of what is deleted is told again: TestTranscripts (delete_and_add_again.txt).
//   - A changed time of expiry is ignored, and keys of a deleted environment expire: diff.TestKeyExpiry.
//   - A server that accepts and says nothing hangs the client for ever: TestTimeouts.
//     (defects.TestNothingToCloseBeforeTheFirstConnection)
//   - A rejected key after a good start ends the stream without a word, and the client is ready before
//     it has a configuration: TestRejectionAfterAGoodStart, TestRotatedKeyRecoversByItself,
//     TestReadyWaits, TestStartTellsWhenTheHandlerHasBeenTold. (defects.TestAnythingIsAStream)
//   - A put without data deletes everything: TestTranscripts (malformed_events.txt).
//   - Keys are found in text by their form, so that some are missed and short ones shown:
//     mask.TestString, mask.TestVerbsShowTheMaskedForm.
//   - What is remembered of deletions grows without bound, and has the deleted keys in it:
//     diff.TestTombstonesAreBounded.
//   - A huge retry field overflows into reconnecting without a pause: TestServerSetsTheBaseDelay.
//   - Subscribers of one stream hold up each other, or share its items between them:
//     TestASleeperHoldsOneChangePerEnvironment, TestEverySubscriberSeesWhatTheServerHas,
//     TestTapsLoseTheOldest. (defects.TestObserversBlockEachOther, defects.TestObserversShareItems)

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
