package sse

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A wire is an http.Client over pipes to a server that is written by hand, and counts the connections.
type wire struct {
	client *http.Client
	dialed atomic.Int32
}

// newWire returns a wire of HTTP/1.1. serve is called for each connection, on a goroutine of its own.
func newWire(t *testing.T, serve func(net.Conn)) *wire {
	w := new(wire)
	w.client = pipeClient(t, func(conn net.Conn) {
		w.dialed.Add(1)
		serve(conn)
	})
	return w
}

// newWire2 is newWire with HTTP/2.
func newWire2(t *testing.T, serve func(*http2Conn)) *wire {
	w := newWire(t, func(conn net.Conn) {
		if c := acceptHTTP2(conn); c != nil {
			serve(c)
		}
	})
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	w.client.Transport.(*http.Transport).Protocols = protocols
	return w
}

// A passOn is a RoundTripper that is not an *http.Transport.
type passOn struct{ http.RoundTripper }

// wrapped returns the client with a RoundTripper that Connect can't clone.
func (w *wire) wrapped() *http.Client { return &http.Client{Transport: passOn{w.client.Transport}} }

// Frames of HTTP/2.
const (
	dataFrame     = 0
	headersFrame  = 1
	resetFrame    = 3
	settingsFrame = 4
	goAwayFrame   = 7

	endStream, endHeaders = 1, 4
)

// An http2Conn is the server's side of an HTTP/2 connection.
type http2Conn struct {
	net.Conn
	writing  sync.Mutex
	requests chan uint32 // the streams of requests; closed when the client has gone
}

// acceptHTTP2 reads the client's preface, sends the settings, and goes on reading: a pipe has no buffer.
func acceptHTTP2(conn net.Conn) *http2Conn {
	if _, err := io.ReadFull(conn, make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
		return nil
	}
	c := &http2Conn{Conn: conn, requests: make(chan uint32, 10)}
	go c.read()
	c.send(settingsFrame, 0, 0, "")
	return c
}

func (c *http2Conn) read() {
	defer close(c.requests)
	for {
		var header [9]byte
		if _, err := io.ReadFull(c, header[:]); err != nil {
			return
		}
		length := int64(header[0])<<16 | int64(header[1])<<8 | int64(header[2])
		if _, err := io.CopyN(io.Discard, c, length); err != nil {
			return
		}
		if header[3] == headersFrame {
			c.requests <- binary.BigEndian.Uint32(header[5:])
		}
	}
}

// request waits for a request and returns its stream, 0 when the client has gone.
func (c *http2Conn) request() uint32 { return <-c.requests }

// drain waits until the client has gone.
func (c *http2Conn) drain() {
	for range c.requests {
	}
}

func (c *http2Conn) send(kind, flags byte, stream uint32, payload string) {
	frame := binary.BigEndian.AppendUint32(nil, uint32(len(payload)))[1:]
	frame = append(frame, kind, flags)
	frame = binary.BigEndian.AppendUint32(frame, stream)
	c.writing.Lock()
	defer c.writing.Unlock()
	_, _ = c.Write(append(frame, payload...))
}

// literal encodes a header field that is in no table.
func literal(name, value string) string {
	return "\x00" + prefixed(name) + prefixed(value)
}

// prefixed is a string after its length, which must be less than 127.
func prefixed(s string) string { return string(rune(len(s))) + s }

const status200 = "\x88"

// open answers the request on a stream with an event stream.
func (c *http2Conn) open(stream uint32, events string) {
	c.send(headersFrame, endHeaders, stream, status200+literal("content-type", mediaType))
	c.send(dataFrame, 0, stream, events)
}

// goAway sends GOAWAY: no stream after last was looked at.
func (c *http2Conn) goAway(last uint32, debug string) {
	c.send(goAwayFrame, 0, 0, string(binary.BigEndian.AppendUint32(nil, last))+"\x00\x00\x00\x00"+debug)
}

// logged returns what f writes to the standard logger.
func logged(f func()) string {
	var out lockedBuffer
	former := log.Writer()
	log.SetOutput(&out)
	defer log.SetOutput(former)
	f()
	return out.String()
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// shownForms returns err in all forms in which a program may show it.
func shownForms(err error) string {
	var text bytes.Buffer
	status := struct {
		State string
		Err   error
	}{"off", err}
	for e := err; e != nil; {
		fmt.Fprintf(&text, "%v %+v %#v %s %q %d %v %+v %#v\n", e, e, e, e, e, e, status, status, status)
		unwrap, ok := e.(interface{ Unwrap() error })
		if !ok {
			break
		}
		e = unwrap.Unwrap()
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&text, nil)} {
		slog.New(handler).Error("lost", "error", err, "status", status)
	}
	for _, v := range []any{err, status} {
		encoded, _ := json.Marshal(v)
		text.Write(encoded)
	}
	func() {
		defer func() { fmt.Fprint(&text, recover()) }()
		panic(err)
	}()
	return text.String()
}

// receive connects once and returns the data of the events, and the error.
func receive(ctx context.Context, client *http.Client, url string) (data []string, err error) {
	err = Connect(Get(url).With("Authorization", secret), &ConnectOptions{Client: client})(ctx, func(e Event) bool {
		data = append(data, string(e.Data))
		return true
	})
	return data, err
}

const anyURL = "http://127.0.0.1/"

// head is a response's header from lines.
func head(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n\r\n" }
