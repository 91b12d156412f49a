package autoconfigtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// A body is a stage that the body of a response passes on its way to the client.
type body interface {
	io.Writer
	flush() error
}

// onBody returns the fault that sends the body through a stage of its own. newStage makes a stage
// that writes to out.
func onBody(newStage func(out body, r *http.Request) body) Fault {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(&bodyWriter{w, newStage(direct{w}, r)}, r)
		})
	}
}

// A bodyWriter is a ResponseWriter whose body passes through a stage.
type bodyWriter struct {
	http.ResponseWriter
	body body
}

func (w *bodyWriter) Write(b []byte) (int, error) { return w.body.Write(b) }

// FlushError is called by http.ResponseController.
func (w *bodyWriter) FlushError() error { return w.body.flush() }

// Flush implements http.Flusher.
func (w *bodyWriter) Flush() { _ = w.body.flush() }

func (w *bodyWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// direct is the last stage: it writes to the client.
type direct struct{ http.ResponseWriter }

func (d direct) flush() error { return http.NewResponseController(d.ResponseWriter).Flush() }

// Cut closes the network connection after n bytes of the body. If n is 0, the client gets only the
// headers.
func Cut(n int64) Fault {
	return limited(n, func(r *http.Request) { hangUp(r, false) })
}

// Reset is Cut with a TCP reset, which may overtake bytes that the client hasn't received yet.
func Reset(n int64) Fault {
	return limited(n, func(r *http.Request) { hangUp(r, true) })
}

// Stall sends nothing after n bytes of the body and keeps the connection open until the client
// leaves.
func Stall(n int64) Fault {
	return limited(n, func(r *http.Request) { <-r.Context().Done() })
}

// End ends the response in the regular way after n bytes of the body.
func End(n int64) Fault {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			limited(n, func(*http.Request) { cancel() })(next).ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

// errLimit tells a handler that nothing more that it writes will arrive.
var errLimit = errors.New("autoconfigtest: the response is over")

// limited calls reached when n bytes of the body have been flushed to the client, and discards the
// rest.
func limited(n int64, reached func(*http.Request)) Fault {
	return onBody(func(out body, r *http.Request) body {
		return &limiter{out: out, left: max(n, 0), reached: func() { reached(r) }}
	})
}

type limiter struct {
	out     body
	left    int64
	reached func() // may be called more than once
}

func (l *limiter) Write(b []byte) (int, error) {
	n, err := l.out.Write(b[:min(int64(len(b)), l.left)])
	l.left -= int64(n)
	if err == nil && l.left == 0 {
		err = l.flush()
	}
	if err == nil && n < len(b) {
		err = errLimit
	}
	return n, err
}

func (l *limiter) flush() error {
	err := l.out.flush()
	if l.left == 0 {
		l.reached()
	}
	return err
}

// Drip sends the body byte by byte, flushing each, and waits for interval between two bytes.
func Drip(interval time.Duration) Fault {
	return onBody(func(out body, r *http.Request) body {
		return &dripper{body: out, interval: interval, ctx: r.Context()}
	})
}

type dripper struct {
	body
	interval time.Duration
	ctx      context.Context
	started  bool
}

func (d *dripper) Write(b []byte) (int, error) {
	for i := range b {
		if d.started && d.interval > 0 {
			if err := sleep(d.ctx, d.interval); err != nil {
				return i, err
			}
		}
		d.started = true
		if _, err := d.body.Write(b[i : i+1]); err != nil {
			return i, err
		}
		if err := d.flush(); err != nil {
			return i + 1, err
		}
	}
	return len(b), nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Prepend starts the body with raw.
func Prepend(raw string) Fault {
	return prepended(func(w io.Writer) error {
		_, err := io.WriteString(w, raw)
		return err
	})
}

// Malformed starts the body with a put message whose data isn't valid JSON.
func Malformed() Fault {
	return Prepend(string(encodeEvent("put", `{"path":"/","data":{"environments":{`)))
}

// HugeEvent starts the body with a put message with n bytes of data, which are never all in memory.
func HugeEvent(n int64) Fault {
	return prepended(func(w io.Writer) error {
		if _, err := io.WriteString(w, "event: put\ndata: "); err != nil {
			return err
		}
		block := bytes.Repeat([]byte("x"), 32<<10)
		for left := n; left > 0; left -= int64(len(block)) {
			if _, err := w.Write(block[:min(left, int64(len(block)))]); err != nil {
				return err
			}
		}
		_, err := io.WriteString(w, "\n\n")
		return err
	})
}

func prepended(write func(io.Writer) error) Fault {
	return onBody(func(out body, _ *http.Request) body { return &prepender{body: out, prefix: write} })
}

type prepender struct {
	body
	prefix func(io.Writer) error // nil once it is written
}

func (p *prepender) Write(b []byte) (int, error) {
	if err := p.begin(); err != nil {
		return 0, err
	}
	return p.body.Write(b)
}

func (p *prepender) flush() error {
	if err := p.begin(); err != nil {
		return err
	}
	return p.body.flush()
}

func (p *prepender) begin() error {
	prefix := p.prefix
	if prefix == nil {
		return nil
	}
	p.prefix = nil
	// The header doesn't wait for a prefix that may be long.
	if err := p.body.flush(); err != nil {
		return err
	}
	return prefix(p.body)
}
