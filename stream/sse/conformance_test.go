package sse

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/launchdarkly/eventsource"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/streamtest"
)

const threeEvents = "id: 1\ndata: a\n\n:\n\nevent: b\ndata: b\n\ndata: c\n\n"

func threeWanted() []Event {
	return []Event{
		{Type: "message", Data: []byte("a"), LastEventID: "1"},
		{Type: "b", Data: []byte("b"), LastEventID: "1"},
		{Type: "message", Data: []byte("c"), LastEventID: "1"},
	}
}

func TestConnectConforms(t *testing.T) {
	// The transport is made in the bubble that it is used in; its pipes end with the connection.
	connection := func(serve func(net.Conn)) func() stream.Observable[Event] {
		return func() stream.Observable[Event] {
			transport := pipeTransport(new(sync.WaitGroup), serve)
			return Connect(requestTo("http://127.0.0.1/"), &ConnectOptions{Client: &http.Client{Transport: transport}})
		}
	}
	t.Run("ended", func(t *testing.T) {
		length := fmt.Sprintf("Connection: close\r\nContent-Length: %d\r\n\r\n", len(threeEvents))
		answer := strings.Replace(okHeader, "\r\n\r\n", "\r\n"+length, 1) + threeEvents
		streamtest.Test(t, connection(answering([]string{answer})), threeWanted(), &streamtest.Options{Err: ErrEndOfStream})
	})
	t.Run("open", func(t *testing.T) {
		streamtest.Test(t, connection(answering([]string{okHeader, threeEvents})), threeWanted(), &streamtest.Options{Endless: true})
	})
	t.Run("stalled", func(t *testing.T) {
		streamtest.Test(t, connection(silent), nil, &streamtest.Options{Endless: true})
	})
	t.Run("default client", func(t *testing.T) {
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			writeStream(w, threeEvents)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
		streamtest.Test(t, func() stream.Observable[Event] { return Connect(requestTo(server.URL), nil) },
			threeWanted(), &streamtest.Options{Endless: true, RealTime: true})
	})
}

func TestFromEventSourceConforms(t *testing.T) {
	three := func() *eventsource.Stream {
		s := &eventsource.Stream{Events: make(chan eventsource.Event, 3)}
		s.Events <- publication{data: "a", id: "1"}
		s.Events <- publication{event: "b", data: "b", id: "1"}
		s.Events <- publication{data: "c", id: "1"}
		return s
	}
	t.Run("closed", func(t *testing.T) {
		streamtest.Test(t, func() stream.Observable[Event] {
			s := three()
			s.Errors = make(chan error)
			close(s.Errors)
			close(s.Events)
			return FromEventSource(s)
		}, threeWanted(), &streamtest.Options{Hot: true})
	})
	t.Run("open", func(t *testing.T) {
		streamtest.Test(t, func() stream.Observable[Event] { return FromEventSource(three()) },
			threeWanted(), &streamtest.Options{Hot: true, Endless: true})
	})
}
