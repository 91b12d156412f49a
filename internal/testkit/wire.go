package testkit

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/relaystream/autoconfig/autoconfigtest"
)

// A DialFunc makes a connection, as http.Transport.DialContext does.
type DialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// A Wire is the network as one client sees it. It counts connections and bytes, and breaks one connection,
// once, at a given byte of the whole conversation.
type Wire struct {
	Dial DialFunc // makes the connections

	mu     sync.Mutex
	dialed int
	open   int
	read   int64
	// At is how many bytes pass, over all connections, before the break; negative for no break.
	At    int64
	Stall bool // the break is silence instead of the end of the connection
}

// NewWire returns a wire to the server without a break.
func NewWire(server *autoconfigtest.Server) *Wire {
	return &Wire{Dial: server.Client().Transport.(*http.Transport).DialContext, At: -1}
}

// Client returns an HTTP client whose connections go over the wire. It is otherwise a default one.
func (w *Wire) Client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: w.connect}}
}

func (w *Wire) connect(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := w.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dialed++
	w.open++
	return &wireConn{Conn: conn, wire: w, closed: make(chan struct{})}, nil
}

// Connections returns how many connections are open, and how many there were in all.
func (w *Wire) Connections() (open, dialed int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open, w.dialed
}

// Bytes returns how many bytes were read, over all connections.
func (w *Wire) Bytes() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.read
}

// room returns how many of n bytes may be read now, or that the break comes instead.
func (w *Wire) room(n int) (room int, broken bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.At < w.read:
		return n, false
	case w.At == w.read:
		w.At = -1
		return 0, true
	default:
		return int(min(int64(n), w.At-w.read)), false
	}
}

func (w *Wire) count(read, open int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.read += int64(read)
	w.open += open
}

type wireConn struct {
	net.Conn
	wire   *Wire
	once   sync.Once
	closed chan struct{}
}

func (c *wireConn) Read(p []byte) (int, error) {
	room, broken := c.wire.room(len(p))
	if broken {
		if c.wire.Stall {
			<-c.closed
		}
		return 0, io.EOF
	}
	n, err := c.Conn.Read(p[:room])
	c.wire.count(n, 0)
	return n, err
}

func (c *wireConn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.wire.count(0, -1)
	})
	return c.Conn.Close()
}
