package autoconfigtest

import (
	"maps"
	"net/http"
)

// A Fault changes how one request is answered. It is middleware: it gets the handler that would
// have answered and returns the one that does instead. Faults of this package also work with
// another http.Server. When the client leaves or something else cuts the connection, the request's
// context ends; a Fault that waits must then return.
//
// Faults that count bytes count those of the body, without HTTP's framing.
type Fault func(next http.Handler) http.Handler

// Next plans faults for the next requests that pass the server's checks, one for each, after those
// already planned. A nil fault leaves its request alone, and so does having none planned.
func (s *Server) Next(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Chain combines faults for one request: the answer passes through the last one first. So
// Chain(Cut(10), HugeEvent(1000)) cuts within the huge event. Nil faults are skipped.
func Chain(faults ...Fault) Fault {
	return func(next http.Handler) http.Handler {
		for i := len(faults) - 1; i >= 0; i-- {
			if faults[i] != nil {
				next = faults[i](next)
			}
		}
		return next
	}
}

// Handle answers with the given handler. The server counts no open stream for it, and Close waits
// until it returns.
func Handle(handler http.HandlerFunc) Fault {
	return func(http.Handler) http.Handler { return handler }
}

// Answer answers with a status, headers and a body, and no event stream. Header may be nil.
func Answer(status int, header http.Header, body string) Fault {
	header = header.Clone()
	return Handle(func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), header)
		w.WriteHeader(status)
		// The client may have left.
		_, _ = w.Write([]byte(body))
	})
}

// Status answers with a status code and its name as the body.
func Status(code int) Fault { return Answer(code, nil, http.StatusText(code)) }

// Redirect answers with 307 and this location.
func Redirect(url string) Fault {
	return Answer(http.StatusTemporaryRedirect, http.Header{"Location": {url}}, "")
}

// Hang never answers, not even with a header. It returns when the client leaves.
func Hang() Fault {
	return Handle(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	})
}

// Header answers as usual but with another value for one response header, such as Content-Type. An
// empty value removes the header.
func Header(name, value string) Fault {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			override := func(int) { setHeader(w.Header(), name, value) }
			next.ServeHTTP(&headWriter{ResponseWriter: w, before: override, flushed: func() {}}, r)
		})
	}
}

func setHeader(header http.Header, name, value string) {
	header.Set(name, value)
	if value == "" {
		// Unlike a missing entry, nil keeps net/http from making up a value.
		header[http.CanonicalHeaderKey(name)] = nil
	}
}
