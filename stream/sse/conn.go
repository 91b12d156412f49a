package sse

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// connections are the network connections of one attempt. They end with it, so that no later attempt can
// use them.
type connections struct {
	limit time.Duration // of a dial

	mu     sync.Mutex
	all    []net.Conn
	closed bool
}

// of returns dial with connections that belong to c and are silent until something is written to them.
func (c *connections) of(dial dialFunc) dialFunc {
	return c.dialer(dial, silenced)
}

// ofTLS is like of, for a function that dials with TLS. A connection for HTTP/2, in which the server may speak
// first, keeps its type, because net/http needs it.
func (c *connections) ofTLS(dial dialFunc) dialFunc {
	return c.dialer(withHandshake(dial), func(dialed net.Conn) net.Conn {
		if secure, ok := dialed.(*tls.Conn); ok && secure.ConnectionState().NegotiatedProtocol == "h2" {
			return dialed
		}
		return silenced(dialed)
	})
}

// withHandshake returns dial with connections that have done their TLS handshake.
func withHandshake(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		dialed, err := dial(ctx, network, address)
		secure, ok := dialed.(*tls.Conn)
		if err != nil || !ok {
			return dialed, err
		}
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = secure.Close() // the error counts
			return nil, err
		}
		return secure, nil
	}
}

// describe adds what net/http can't know of a TLS connection that is silenced.
func (c *connections) describe(resp *http.Response) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if resp.TLS != nil || len(c.all) == 0 {
		return
	}
	last, ok := c.all[len(c.all)-1].(*conn)
	if !ok {
		return
	}
	if secure, ok := last.Conn.(*tls.Conn); ok {
		state := secure.ConnectionState()
		resp.TLS = &state
	}
}

func (c *connections) dialer(dial dialFunc, wrap func(net.Conn) net.Conn) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		// A net.Dialer that knows a deadline tries the next address of a name while there is time.
		ctx, cancel := context.WithTimeoutCause(ctx, c.limit, ErrConnectTimeout)
		defer cancel()
		dialed, err := dial(ctx, network, address)
		if err != nil && context.Cause(ctx) == ErrConnectTimeout {
			return nil, ErrConnectTimeout
		}
		if err != nil {
			return nil, err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.closed {
			_ = dialed.Close() // nobody waits for it any more
			return nil, net.ErrClosed
		}
		dialed = wrap(dialed)
		c.all = append(c.all, dialed)
		return dialed, nil
	}
}

// hush makes the connections silent again, after a handshake and before a request.
func (c *connections) hush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, dialed := range c.all {
		if silent, ok := dialed.(*conn); ok {
			silent.hush()
		}
	}
}

// close closes all connections, and makes a dial that is under way close its own.
func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, conn := range c.all {
		_ = conn.Close() // nothing is left to lose
	}
}

// A conn is a network connection that can't be read from before something is written to it. In HTTP the
// client speaks first, and net/http writes what a server sends before that to the standard logger.
type conn struct {
	net.Conn
	done chan struct{} // closed by Close
	once sync.Once

	mu     sync.Mutex
	silent chan struct{} // closed by Write; nil when not silent
}

// silenced returns dialed as a connection that is silent.
func silenced(dialed net.Conn) net.Conn {
	c := &conn{Conn: dialed, done: make(chan struct{})}
	c.hush()
	return c
}

func (c *conn) hush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.silent == nil {
		c.silent = make(chan struct{})
	}
}

func (c *conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	silent := c.silent
	c.mu.Unlock()
	if silent != nil {
		select {
		case <-silent:
		case <-c.done:
			return 0, net.ErrClosed
		}
	}
	return c.Conn.Read(p)
}

func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if c.silent != nil {
		close(c.silent)
		c.silent = nil
	}
	c.mu.Unlock()
	return c.Conn.Write(p)
}

func (c *conn) Close() error {
	c.once.Do(func() { close(c.done) })
	return c.Conn.Close()
}
