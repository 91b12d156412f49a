package autoconfigtest

import (
	"net/http"

	"github.com/relaystream/autoconfig/internal/request"
)

func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	received := newRequest(r)
	x := s.enter(received, r)
	if x == nil {
		panic(http.ErrAbortHandler)
	}
	defer s.leave(x)

	head := &headWriter{
		ResponseWriter: w,
		before:         func(status int) { s.record(received, status) },
		flushed:        func() { s.begin(x) },
	}
	version, status := s.check(r)
	if status != 0 {
		head.Header().Set("Allow", http.MethodGet)
		http.Error(head, http.StatusText(status), status)
		return
	}
	x.version = version
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.stream(x, w, r) })
	if fault := s.admit(x); fault != nil {
		handler = fault(handler)
	}
	handler.ServeHTTP(head, r)
}

// check returns the protocol version that the client asks for, or the status to refuse it with.
func (s *Server) check(r *http.Request) (version, status int) {
	if r.URL.Path != request.Path {
		return 0, http.StatusNotFound
	}
	return request.Check(r, s.authorized)
}

// enter registers a request; it returns nil if the server is stopped or closing.
func (s *Server) enter(request *Request, r *http.Request) *exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.stopped {
		return nil
	}
	s.handlers.Add(1)
	s.requests = append(s.requests, request)
	x := &exchange{conn: connOf(r), wake: make(chan struct{}, 1)}
	s.exchanges[x] = struct{}{}
	s.notify()
	return x
}

func (s *Server) leave(x *exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.exchanges, x)
	s.notify()
	s.handlers.Done()
}

// admit numbers a request that has passed the checks, and returns the fault planned for it.
func (s *Server) admit(x *exchange) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.admitted++
	x.number = s.admitted
	s.notify()
	if len(s.faults) == 0 {
		return nil
	}
	fault := s.faults[0]
	s.faults = s.faults[1:]
	return fault
}

func (s *Server) record(request *Request, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	request.Status = status
	s.notify()
}

// A headWriter reports when the header of a response is sent.
type headWriter struct {
	http.ResponseWriter
	before  func(status int) // called before the header is sent
	flushed func()           // called after each flush
	sent    bool
}

func (w *headWriter) WriteHeader(status int) {
	if !w.sent && status >= http.StatusOK {
		w.sent = true
		w.before(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *headWriter) Write(b []byte) (int, error) {
	w.send()
	return w.ResponseWriter.Write(b)
}

// FlushError is called by http.ResponseController.
func (w *headWriter) FlushError() error {
	w.send()
	err := http.NewResponseController(w.ResponseWriter).Flush()
	if err == nil {
		w.flushed()
	}
	return err
}

// Flush implements http.Flusher.
func (w *headWriter) Flush() { _ = w.FlushError() }

// Unwrap gives http.ResponseController access to the rest, such as hijacking.
func (w *headWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// send is what net/http does at the first write or flush.
func (w *headWriter) send() {
	if !w.sent {
		w.WriteHeader(http.StatusOK)
	}
}
