package sse

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/launchdarkly/eventsource"
)

// A publication is an event as the stream of package eventsource makes them.
type publication struct {
	event, data, id string
	retry           int64
}

func (p publication) Id() string          { return "" } //nolint:revive // the name is given
func (p publication) Event() string       { return p.event }
func (p publication) Data() string        { return p.data }
func (p publication) LastEventID() string { return p.id }
func (p publication) Retry() int64        { return p.retry }

func TestFromEventSource(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		writeStream(w, "retry: 10\n\nid: 7\nevent: put\ndata: a\ndata: b\n\nretry: 99999999999\ndata: c\n\nevent: reconnect\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	s, err := eventsource.SubscribeWithURL(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	want := []Event{
		{Type: "put", Data: []byte("a\nb"), LastEventID: "7"},
		{Type: "message", Data: []byte("c"), LastEventID: "7", Retry: time.Hour, HasRetry: true},
		{Type: "reconnect", Data: []byte{}, LastEventID: "7"},
	}
	var got []Event
	err = FromEventSource(s)(t.Context(), func(e Event) bool {
		got = append(got, e)
		if len(got) == len(want) {
			s.Close() // its owner closes it, and the sequence completes
		}
		return true
	})
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(err, d)
	}
}

func TestFromEventSourceFails(t *testing.T) {
	broken := errors.New("broken")
	s := &eventsource.Stream{Events: make(chan eventsource.Event), Errors: make(chan error, 1)}
	s.Errors <- broken
	if err := FromEventSource(s)(t.Context(), unexpected(t)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// Its own events may have neither of the optional methods.
func TestFromEventSourcePlainEvent(t *testing.T) {
	s := &eventsource.Stream{Events: make(chan eventsource.Event, 1)}
	s.Events <- plain{}
	close(s.Events)
	var got Event
	_ = FromEventSource(s)(t.Context(), func(e Event) bool { got = e; return true })
	if d := cmp.Diff(Event{Type: "message", Data: []byte("x"), LastEventID: "1"}, got); d != "" {
		t.Error(d)
	}
}

type plain struct{}

func (plain) Id() string    { return "1" } //nolint:revive // the name is given
func (plain) Event() string { return "" }
func (plain) Data() string  { return "x" }
