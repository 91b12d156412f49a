package hub

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"
)

// A sink is what a stream is written to. SetWriteDeadline may be called while another method is.
type sink interface {
	io.Writer
	Flush() error
	SetWriteDeadline(time.Time) error
}

// A response is the sink that net/http provides.
type response struct {
	http.ResponseWriter
	*http.ResponseController
}

// A connection is the sink of a reader whose connection was taken over from net/http, which would keep three buffers and a
// larger stack for it all the time. A connection has a buffer while it is written to.
type connection struct {
	net.Conn
	buffer *bufio.Writer // between the first write and Flush
	failed bool          // a write has failed: what was sent may end anywhere
}

// buffers has those that are not in use. What is larger than a buffer bypasses it.
var buffers = sync.Pool{New: func() any { return bufio.NewWriter(nil) }}

func (c *connection) writer() *bufio.Writer {
	if c.buffer == nil {
		c.buffer = buffers.Get().(*bufio.Writer)
		c.buffer.Reset(c.Conn)
	}
	return c.buffer
}

// begin begins the response. Nothing is sent before Flush.
func (c *connection) begin(header http.Header) {
	header.Set("Connection", "close")
	header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	header.Set("Transfer-Encoding", "chunked")
	w := c.writer()
	_, _ = io.WriteString(w, "HTTP/1.1 200 OK\r\n") // Flush returns the error
	_ = header.Write(w)
	_, _ = io.WriteString(w, "\r\n")
}

// Write writes a chunk.
func (c *connection) Write(p []byte) (int, error) {
	n, err := httputil.NewChunkedWriter(c.writer()).Write(p)
	c.failed = c.failed || err != nil
	return n, err
}

func (c *connection) Flush() error {
	err := c.writer().Flush()
	c.failed = c.failed || err != nil
	c.buffer.Reset(nil)
	buffers.Put(c.buffer)
	c.buffer = nil
	return err
}

// end tells the reader that the stream has ended. After a failure that would be taken for data.
func (c *connection) end() {
	if c.failed {
		return
	}
	_, _ = io.WriteString(c.writer(), "0\r\n\r\n")
	_ = c.Flush()
}

// Close closes the connection at once. Where the reader takes nothing, TLS would wait for it with its last message.
func (c *connection) Close() error {
	if secure, ok := c.Conn.(*tls.Conn); ok && c.failed {
		return secure.NetConn().Close()
	}
	return c.Conn.Close()
}

// watch returns when the reader has left. What it sends is ignored.
func (c *connection) watch() {
	var b [64]byte
	for {
		if _, err := c.Read(b[:]); err != nil {
			return
		}
	}
}
