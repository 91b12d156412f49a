package feed

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// A Server accepts requests for streams, whatever their path and headers.
type Server struct {
	// URL is the base URI of the server.
	URL string

	http  *http.Server
	conns chan *Conn
	done  chan struct{} // closed when Serve has returned
}

// A Conn is the server's end of one stream. It is not safe for concurrent use.
type Conn struct{ conn net.Conn }

// Listen starts a server. Close stops it.
func Listen() (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{
		URL:   "http://" + listener.Addr().String(),
		conns: make(chan *Conn),
		done:  make(chan struct{}),
	}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(listener) // http.ErrServerClosed
	}()
	return s, nil
}

// ServeHTTP takes the connection over from net/http and passes it to Accept. No goroutine of net/http
// remains, and sending allocates nothing.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "the connection can't be taken over", http.StatusInternalServerError)
		return
	}
	select {
	case s.conns <- &Conn{conn}:
	case <-s.done:
		_ = conn.Close()
	}
}

// Accept waits for the next request and answers it with the head of a stream.
func (s *Server) Accept(ctx context.Context) (*Conn, error) {
	select {
	case c := <-s.conns:
		const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" +
			"Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n"
		if _, err := c.conn.Write([]byte(head)); err != nil {
			return nil, errors.Join(err, c.conn.Close())
		}
		return c, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Requests returns the channel of the requests that Accept has not taken. A request waits until somebody
// receives it.
func (s *Server) Requests() <-chan *Conn { return s.conns }

// Close stops the server. Streams that Accept returned stay open.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	return err
}

// Send writes the whole segment, a write for each chunk.
func (c *Conn) Send(s *Segment) error {
	for i := range s.chunks {
		if err := c.SendChunk(s, i); err != nil {
			return err
		}
	}
	return nil
}

// SendChunk writes one chunk of the segment.
func (c *Conn) SendChunk(s *Segment, i int) error {
	_, err := c.conn.Write(s.chunks[i])
	return err
}

// Close closes the connection without a last chunk, as a network failure does.
func (c *Conn) Close() error { return c.conn.Close() }
