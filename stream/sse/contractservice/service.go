package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
)

// capabilities are the optional features that package sse has. Not among them is event-type-listeners: it
// stands for an API in which each type of event has to be asked for.
var capabilities = []string{
	"204", "bom", "comments", "empty-or-missing-location", "headers", "last-event-id", "post", "read-timeout",
	"report", "restart",
}

// A service is the HTTP API that the test harness uses: each stream that it creates is a subscription.
type service struct {
	http.ServeMux
	stopped chan struct{} // closed when the harness asks the service to quit
	stop    sync.Once

	mu      sync.Mutex
	streams map[int]*stream
	created int
}

func newService() *service {
	s := &service{stopped: make(chan struct{}), streams: make(map[int]*stream)}
	s.HandleFunc("GET /{$}", s.describe)
	s.HandleFunc("DELETE /{$}", s.quit)
	s.HandleFunc("POST /{$}", s.create)
	s.HandleFunc("POST /streams/{id}", s.command)
	s.HandleFunc("DELETE /streams/{id}", s.delete)
	return s
}

// close ends all streams.
func (s *service) close() {
	s.mu.Lock()
	streams := s.streams
	s.streams = nil
	s.mu.Unlock()
	for _, stream := range streams {
		stream.close()
	}
}

func (s *service) describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"name": "sse", "capabilities": capabilities})
}

func (s *service) quit(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusNoContent)
	s.stop.Do(func() { close(s.stopped) })
}

func (s *service) create(w http.ResponseWriter, r *http.Request) {
	var p params
	if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if p.StreamURL == "" || p.CallbackURL == "" {
		http.Error(w, "streamUrl and callbackUrl are needed", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams == nil {
		http.Error(w, "the service is about to quit", http.StatusServiceUnavailable)
		return
	}
	s.created++
	s.streams[s.created] = open(p)
	w.Header().Set("Location", fmt.Sprintf("/streams/%d", s.created))
	w.WriteHeader(http.StatusCreated)
}

// find returns the stream that a request is about, and answers the request if there is none. With remove, no
// later request will find it.
func (s *service) find(w http.ResponseWriter, r *http.Request, remove bool) *stream {
	id, _ := strconv.Atoi(r.PathValue("id"))
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.streams[id]
	if found == nil {
		http.Error(w, "no such stream", http.StatusNotFound)
	}
	if remove {
		delete(s.streams, id)
	}
	return found
}

func (s *service) command(w http.ResponseWriter, r *http.Request) {
	stream := s.find(w, r, false)
	if stream == nil {
		return
	}
	var c struct{ Command string }
	err := json.NewDecoder(r.Body).Decode(&c)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case c.Command == "restart":
		stream.requestRestart()
		w.WriteHeader(http.StatusAccepted)
	case c.Command == "listen":
		w.WriteHeader(http.StatusAccepted) // to events of every type, always
	default:
		http.Error(w, "unknown command", http.StatusBadRequest)
	}
}

func (s *service) delete(w http.ResponseWriter, r *http.Request) {
	if stream := s.find(w, r, true); stream != nil {
		stream.close()
		w.WriteHeader(http.StatusNoContent)
	}
}
