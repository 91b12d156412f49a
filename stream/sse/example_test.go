package sse_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/launchdarkly/eventsource"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

func ExampleScan() {
	input := ": a comment\n\nevent: greeting\ndata: hello\ndata: world\n\ndata: unfinished"
	for event, err := range sse.Scan(strings.NewReader(input), nil) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s %q\n", event.Type, event.Data)
	}
	// Output: greeting "hello\nworld"
}

// newServer sends one event to each request, numbered after the last event ID, and hangs up.
func newServer() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last, _ := strconv.Atoi(r.Header.Get("Last-Event-ID"))
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "retry: 1\nid: %d\ndata: event %d\n\n", last+1, last+1)
	}))
}

func ExampleSubscribe() {
	server := newServer()
	defer server.Close()
	ctx := context.Background()

	for event, err := range sse.Subscribe(sse.Get(server.URL), nil).All(ctx) {
		if err != nil {
			fmt.Println(err) // what ended it for good
			break
		}
		fmt.Printf("%s\n", event.Data)
		if event.LastEventID == "3" {
			break // this closes the connection
		}
	}
	// Output:
	// event 1
	// event 2
	// event 3
}

// A model answers a POST with a stream that is complete at its end. To connect again would ask again.
func ExampleSend() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if prompt, _ := io.ReadAll(r.Body); r.Header.Get("Authorization") == "Bearer key" {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(w, "data: {\"text\":\"You said\"}\n\ndata: %s\n\ndata: [DONE]\n\n", prompt)
		}
	}))
	defer server.Close()

	request := sse.Send(http.MethodPost, server.URL, []byte(`{"prompt":"hello"}`)).
		With("Content-Type", "application/json").
		With("Authorization", "Bearer key")
	answer := sse.Connect(request, &sse.ConnectOptions{ConnectTimeout: 2 * time.Minute}) // models think
	for event, err := range answer.All(context.Background()) {
		if err != nil {
			fmt.Println(err)
			break
		}
		if string(event.Data) == "[DONE]" {
			break
		}
		fmt.Printf("%s\n", event.Data)
	}
	// Output:
	// {"text":"You said"}
	// {"prompt":"hello"}
}

// A program that has been restarted goes on where it was, if it has saved the last event ID.
func ExampleSession() {
	server := newServer()
	defer server.Close()

	saved := "" // a file, or a row of a database
	for range 2 {
		session := &sse.Session{LastEventID: saved}
		options := &sse.SubscribeOptions{Connect: sse.ConnectOptions{Session: session}}
		for event, err := range sse.Subscribe(sse.Get(server.URL), options).All(context.Background()) {
			if err != nil {
				fmt.Println(err)
				break
			}
			fmt.Printf("%s\n", event.Data)
			saved = event.LastEventID // after the event has been dealt with
			if event.LastEventID == "2" || event.LastEventID == "4" {
				break // the program ends
			}
		}
		fmt.Println("saved", saved)
	}
	// Output:
	// event 1
	// event 2
	// saved 2
	// event 3
	// event 4
	// saved 4
}

func ExampleEvent_IsComment() {
	const text = ":load 17%\n\ndata: hello\n\n"
	for event, err := range sse.Scan(strings.NewReader(text), &sse.ScanOptions{Comments: true}) {
		switch {
		case err != nil:
			fmt.Println(err)
		case event.IsComment():
			fmt.Printf("comment %q\n", event.Data)
		default:
			fmt.Printf("event %q\n", event.Data)
		}
	}
	// Output:
	// comment "load 17%"
	// event "hello"
}

// A source that starts quickly, never waits long, and takes a key that is rejected for a temporary fault.
func ExampleBackoff() {
	backoff := sse.Backoff{
		Initial: 100 * time.Millisecond,
		Max:     5 * time.Second,
		Permanent: func(err error) bool {
			var status *sse.StatusError
			if errors.As(err, &status) && status.Code == http.StatusUnauthorized {
				return false
			}
			return sse.Permanent(err)
		},
	}
	_ = sse.Subscribe(sse.Get("https://example.com/events"), &sse.SubscribeOptions{Backoff: backoff})

	// What it would do after three failures in a row, and in the end. Up to a half is taken off at random.
	for _, err := range []error{io.ErrUnexpectedEOF, io.ErrUnexpectedEOF, &sse.StatusError{Code: 401}, &sse.StatusError{Code: 204}} {
		switch delay := backoff.Next(err); {
		case delay < 0:
			fmt.Println("gives up")
		default:
			fmt.Println("waits, at most for 400 ms:", delay <= 400*time.Millisecond)
		}
	}
	// Output:
	// waits, at most for 400 ms: true
	// waits, at most for 400 ms: true
	// waits, at most for 400 ms: true
	// gives up
}

// A reconnecting source of one's own is a connection and a policy.
func ExampleBackoff_Next() {
	server := newServer()
	defer server.Close()

	session := new(sse.Session)
	backoff := &sse.Backoff{Session: session}
	connection := sse.Connect(sse.Get(server.URL), &sse.ConnectOptions{
		Session: session,
		OnOpen:  func(*http.Response) { backoff.Opened() },
	})
	source := stream.Retry(connection, func() stream.RetryPolicy {
		return func(err error) time.Duration {
			if errors.Is(err, sse.ErrEndOfStream) {
				backoff.Ended()
				return 0 // this server ends each stream after an event, and means no harm
			}
			return backoff.Next(err)
		}
	})
	events, err := stream.Take(source, 3).Collect(context.Background())
	for _, event := range events {
		fmt.Printf("%s\n", event.Data)
	}
	fmt.Println(err)
	// Output:
	// event 1
	// event 2
	// event 3
	// <nil>
}

// The states of a source, and a restart on demand.
func ExampleSubscribeOptions() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: hello\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()

	restart := make(chan struct{}, 1)
	source := sse.Subscribe(sse.Get(server.URL), &sse.SubscribeOptions{
		Restart: restart,
		OnState: func(s sse.State) { fmt.Println(s) },
	})
	events := 0
	err := source.ForEach(context.Background(), func(event sse.Event) error {
		fmt.Printf("%s\n", event.Data)
		if events++; events == 2 {
			return io.EOF // any error stops it
		}
		restart <- struct{}{}
		return nil
	})
	fmt.Println(err)
	// Output:
	// connecting
	// open
	// hello
	// waiting: sse: restarted on demand
	// connecting
	// open
	// hello
	// ended
	// EOF
}

// count is a part of a program that takes events.
func count(ctx context.Context, events stream.Observable[sse.Event]) (types map[string]int, err error) {
	types = make(map[string]int)
	err = events.ForEach(ctx, func(e sse.Event) error {
		types[e.Type]++
		return nil
	})
	return types, err
}

// A test of one's own needs no server: any sequence of events, and any error after it, will do.
func Example_testing() {
	events := stream.Concat(
		stream.Just(
			sse.Event{Type: "put", Data: []byte("1")},
			sse.Event{Type: "patch", Data: []byte("2")},
			sse.Event{Type: "patch", Data: []byte("3")}),
		stream.Fail[sse.Event](sse.ErrIdle))
	types, err := count(context.Background(), events)
	fmt.Println(types, errors.Is(err, sse.ErrIdle))
	// Output: map[patch:2 put:1] true
}

func ExampleConnect() {
	server := newServer()
	defer server.Close()

	connection := sse.Connect(sse.Get(server.URL), nil)
	err := connection.ForEach(context.Background(), func(event sse.Event) error {
		fmt.Printf("%s\n", event.Data)
		return nil
	})
	fmt.Println(errors.Is(err, sse.ErrEndOfStream))
	// Output:
	// event 1
	// true
}

func ExampleFromEventSource() {
	server := newServer()
	defer server.Close()

	// With an error handler, the stream does not wait for anybody to receive its errors.
	keepTrying := func(error) eventsource.StreamErrorHandlerResult { return eventsource.StreamErrorHandlerResult{} }
	source, err := eventsource.SubscribeWithURL(server.URL, eventsource.StreamOptionErrorHandler(keepTrying))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()
	event, err := sse.FromEventSource(source).First(context.Background())
	fmt.Printf("%s %v\n", event.Data, err)
	// Output: event 1 <nil>
}
