package autoconfigtest

import (
	"maps"
	"net/http"
)

// A Fault changes how one request is answered. It is middleware: it gets the handler that would
// have answered and returns the one that does instead, so that a special one is easily written,
// and any of them can be used with another http.Server. When the client leaves or the connection
// is cut from elsewhere, the request's context ends; a Fault that waits must then return.
//
// Faults that count bytes count those of the body, without HTTP's framing.
type Fault func(next http.Handler) http.Handler

// Next plans how the next requests are answered: the first fault is for the next request that
// passes the server's checks, the second for the one after it, and so on, behind those already
// planned. Nil leaves a request alone. Requests with no plan are answered properly.
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

// Handle answers with a handler of the caller's. The server counts no open stream for it, and
// Close waits for it to return.
func Handle(handler http.HandlerFunc) Fault {
	return func(http.Handler) http.Handler { return handler }
}

// Answer answers with a status, headers and a body, and no event stream. Header may be nil.
func Answer(status int, header http.Header, body string) Fault {
	header = header.Clone()
	return Handle(func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), header)
		w.WriteHeader(status)
		// A client that has left is none of our business.
		_, _ = w.Write([]byte(body))
	})
}

// Status answers with a status code and its name as the body.
func Status(code int) Fault { return Answer(code, nil, http.StatusText(code)) }

// Redirect answers with 307 and this location.
func Redirect(url string) Fault {
	return Answer(http.StatusTemporaryRedirect, http.Header{"Location": {url}}, "")
}

// Hang never answers, not even with a header, and lets the client wait until it leaves.
func Hang() Fault {
	return Handle(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	})
}

// Header answers as usual but with another value of one response header, such as the Content-Type.
// The empty string removes the header.
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
