package defects

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/launchdarkly/eventsource"

	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
)

// There is no search for leaked goroutines in this package, because some of the tests are about them.

const key = "key"

// subscribe connects a stream to a server.
func subscribe(ctx context.Context, srv *autoconfigtest.Server, options ...eventsource.StreamOption) (*eventsource.Stream, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/relay_auto_config", nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", key)
	return eventsource.SubscribeWithRequestAndOptions(request, append(options, eventsource.StreamOptionHTTPClient(srv.Client()))...)
}

// inBubble runs f in virtual time with a server in memory that has an empty configuration.
func inBubble(t *testing.T, f func(t *testing.T, srv *autoconfigtest.Server)) {
	synctest.Test(t, func(t *testing.T) {
		srv := autoconfigtest.NewPipeServer(key)
		defer srv.Close()
		srv.Put(decode.PutContent{Environments: map[decode.EnvironmentID]decode.EnvironmentRep{}})
		f(t, srv)
	})
}

// TestNothingToCloseBeforeTheFirstConnection: the stream is returned when it is connected, so that neither
// retries nor a server that says nothing can be ended by Close.
func TestNothingToCloseBeforeTheFirstConnection(t *testing.T) {
	for name, fault := range map[string]autoconfigtest.Fault{
		"refused": autoconfigtest.Status(http.StatusServiceUnavailable), "silence": autoconfigtest.Hang(),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				for range 100 {
					srv.Next(fault)
				}
				ctx, cancel := context.WithCancel(t.Context())
				returned := make(chan error, 1)
				go func() {
					_, err := subscribe(ctx, srv, eventsource.StreamOptionCanRetryFirstConnection(-1),
						eventsource.StreamOptionInitialRetry(time.Minute))
					returned <- err
				}()
				time.Sleep(time.Hour)
				synctest.Wait()
				select {
				case err := <-returned:
					t.Errorf("it returned %v", err)
				default:
				}
				cancel()
				if err := <-returned; !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		})
	}
}

// TestCloseWaitsForWhoReadsErrors: closed while it delivers an error, the stream stays where it is.
func TestCloseWaitsForWhoReadsErrors(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		stream, err := subscribe(t.Context(), srv)
		if err != nil {
			t.Fatal(err)
		}
		<-stream.Events
		srv.EndConnections()
		synctest.Wait()
		stream.Close()
		time.Sleep(time.Hour)
		select {
		case <-stream.Events:
			t.Error("it has ended")
		default:
		}
		for range stream.Errors { // until it is closed
		}
	})
}

// running returns how many goroutines run a function whose name contains a part.
func running(part string) int {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	n := 0
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, part) {
			n++
		}
	}
	return n
}

// TestReadTimeoutLeaksAGoroutine that waits to tell somebody of the end of its connection.
func TestReadTimeoutLeaksAGoroutine(t *testing.T) {
	const timeouts = 10
	srv := autoconfigtest.NewServer(key)
	defer srv.Close()
	before := running("eventsource.newLineStreamChannel")
	failures := make(chan error)
	stream, err := subscribe(t.Context(), srv, eventsource.StreamOptionReadTimeout(time.Millisecond),
		eventsource.StreamOptionInitialRetry(time.Millisecond),
		eventsource.StreamOptionErrorHandler(func(err error) eventsource.StreamErrorHandlerResult {
			failures <- err
			return eventsource.StreamErrorHandlerResult{}
		}))
	if err != nil {
		t.Fatal(err)
	}
	for range timeouts {
		if err := <-failures; err != eventsource.ErrReadTimeout {
			t.Error(err)
		}
	}
	stream.Close()
	for ended := false; !ended; {
		select {
		case <-failures:
		case _, open := <-stream.Events:
			ended = !open
		}
	}
	if n := running("eventsource.newLineStreamChannel") - before; n < timeouts {
		t.Errorf("%d goroutines are left of %d connections that timed out", n, timeouts)
	}
}

// TestRestartDuringARetryLeaksAConnection: it leads to a second one, and nobody ever closes the first.
func TestRestartDuringARetryLeaksAConnection(t *testing.T) {
	srv := autoconfigtest.NewServer(key)
	defer srv.Close()
	var stream *eventsource.Stream
	assigned := make(chan struct{})
	stream, err := subscribe(t.Context(), srv, eventsource.StreamOptionInitialRetry(time.Millisecond),
		eventsource.StreamOptionErrorHandler(func(error) eventsource.StreamErrorHandlerResult {
			<-assigned
			stream.Restart() // while the retry is planned that follows
			return eventsource.StreamErrorHandlerResult{}
		}))
	if err != nil {
		t.Fatal(err)
	}
	close(assigned)
	if err := srv.AwaitConnections(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	srv.EndConnections()
	if err := srv.AwaitConnections(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	stream.Close()
	for range stream.Events { // until it is closed
	}
	if n := srv.Connections(); n == 0 {
		t.Error("no connection is left")
	}
}

// TestHealthCountsFromTheLastEvent: connections that are up for ten minutes, each ten times as long as what
// counts as healthy, have longer and longer delays between them if they end right after an event, or
// never had one.
func TestHealthCountsFromTheLastEvent(t *testing.T) {
	for name, say := range map[string]func(srv *autoconfigtest.Server){
		"busy":  func(srv *autoconfigtest.Server) { srv.SendEvent("patch", "{}") },
		"quiet": (*autoconfigtest.Server).Heartbeat,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := autoconfigtest.NewPipeServer(key)
				defer srv.Close()
				stream, err := subscribe(t.Context(), srv, eventsource.StreamOptionInitialRetry(time.Second),
					eventsource.StreamOptionUseBackoff(time.Hour), eventsource.StreamOptionRetryResetInterval(time.Minute),
					eventsource.StreamOptionErrorHandler(func(error) eventsource.StreamErrorHandlerResult { return eventsource.StreamErrorHandlerResult{} }))
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					for range stream.Events { // until it is closed
					}
				}()
				for failure := range 8 {
					for range 60 {
						time.Sleep(10 * time.Second)
						say(srv)
					}
					synctest.Wait()
					ended := time.Now()
					srv.EndConnections()
					for len(srv.Requests()) < failure+2 {
						time.Sleep(time.Second / 2)
						synctest.Wait()
					}
					if delay, want := time.Since(ended), time.Second<<failure; delay < want {
						t.Errorf("failure %d is followed by %v, want %v or more", failure, delay, want)
					}
				}
				stream.Close()
			})
		})
	}
}

// decodeAll returns the events of a text, and how much memory that took in all.
func decodeAll(t *testing.T, text string) (events []eventsource.Event, allocated uint64) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	decoder := eventsource.NewDecoder(strings.NewReader(text))
	for {
		event, err := decoder.Decode()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, event)
	}
	runtime.ReadMemStats(&after)
	return events, after.TotalAlloc - before.TotalAlloc
}

// TestLinesCostMoreTheMoreThereAre: with twice as many lines, an event takes four times as much.
func TestLinesCostMoreTheMoreThereAre(t *testing.T) {
	allocated := func(lines int) uint64 {
		_, n := decodeAll(t, strings.Repeat("data: "+strings.Repeat("x", 100)+"\n", lines)+"\n")
		return n
	}
	if once, twice := allocated(1000), allocated(2000); twice < 3*once {
		t.Errorf("%d bytes for 1,000 lines, %d for 2,000", once, twice)
	}
}

// TestWithoutBound are a line and the body of a refusal read, and kept.
func TestWithoutBound(t *testing.T) {
	const size = 4 << 20
	events, _ := decodeAll(t, "data: "+strings.Repeat("x", size)+"\n\n")
	if len(events) != 1 || len(events[0].Data()) != size {
		t.Errorf("%d events", len(events))
	}
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Next(autoconfigtest.Answer(http.StatusBadGateway, nil, strings.Repeat("x", size)))
		_, err := subscribe(t.Context(), srv)
		var refused eventsource.SubscriptionError
		if !errors.As(err, &refused) || len(refused.Message) != size {
			t.Error("the body of the refusal is not there")
		}
		srv.Client().CloseIdleConnections()
	})
}

// TestBlockWithoutDataIsAnEvent, against the standard.
func TestBlockWithoutDataIsAnEvent(t *testing.T) {
	events, _ := decodeAll(t, "event: put\n\nretry: 10\n\nid: 1\n\n")
	if len(events) != 3 || events[0].Event() != "put" || events[0].Data() != "" {
		t.Errorf("%d events", len(events))
	}
}

// TestAnythingIsAStream, whatever its content type says, and it is told to be one before there is an event.
func TestAnythingIsAStream(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Next(autoconfigtest.Chain(autoconfigtest.Header("Content-Type", "text/html"), autoconfigtest.Stall(0)))
		stream, err := subscribe(t.Context(), srv)
		if err != nil {
			t.Fatal(err)
		}
		stream.Close()
	})
}
