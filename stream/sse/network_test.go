package sse

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The body of 101 is the connection, and a read of it would not end with the context.
func TestSwitchingProtocols(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, answering([]string{head("HTTP/1.1 101 X", "Connection: upgrade", "Upgrade: x"), "data: x\n\n"}))
		start := time.Now()
		data, err := receive(t.Context(), w.client, anyURL)
		var status *StatusError
		if !errors.As(err, &status) || status.Code != 101 || len(status.Body) > 0 || len(data) > 0 || time.Since(start) > 0 {
			t.Errorf("%v after %v, with %q", err, time.Since(start), data)
		}
	})
}

// stubborn is a body that ignores contexts, as that of 101 does.
type stubborn struct {
	closed chan struct{}
	once   sync.Once
}

func (s *stubborn) Read([]byte) (int, error) { <-s.closed; return 0, net.ErrClosed }
func (s *stubborn) Close() error             { s.once.Do(func() { close(s.closed) }); return nil }

func (s *stubborn) answer(status int) *http.Client {
	return &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
		header := http.Header{"Content-Type": {mediaType}}
		return &http.Response{StatusCode: status, Header: header, Body: s, Request: req}, nil
	})}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestBodyThatIgnoresTheContext(t *testing.T) {
	for status, want := range map[int]time.Duration{200: DefaultIdleTimeout, 500: defaultConnectTimeout} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			_, err := receive(t.Context(), (&stubborn{closed: make(chan struct{})}).answer(status), anyURL)
			if err == nil || time.Since(start) != want {
				t.Errorf("%d: %v after %v, want %v", status, err, time.Since(start), want)
			}
		})
	}
}

// net/http answers GOAWAY with another connection, for ever.
func TestGoAwayIsOneFailedAttempt(t *testing.T) {
	for name, serve := range map[string]func(*http2Conn){
		"after the request":  func(c *http2Conn) { c.request(); c.goAway(0, "") },
		"of one stream":      func(c *http2Conn) { c.send(resetFrame, 0, c.request(), "\x00\x00\x00\x07") }, // REFUSED_STREAM
		"before the request": func(c *http2Conn) { c.goAway(0, ""); time.Sleep(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire2(t, serve)
				for client, limit := range map[*http.Client]int32{w.client: 2, w.wrapped(): maxForeignRedials + 2} {
					w.dialed.Store(0)
					start := time.Now()
					_, err := receive(t.Context(), client, anyURL)
					if !errors.Is(err, errRedialed) || time.Since(start) > defaultConnectTimeout || w.dialed.Load() > limit {
						t.Errorf("%v after %v and %d connections", err, time.Since(start), w.dialed.Load())
					}
				}
			})
		})
	}
}

// An attempt never uses a connection that an earlier one has used, whatever became of it.
func TestEachAttemptHasItsOwnConnection(t *testing.T) {
	const attempts = 3
	wires := map[string]func(*testing.T) *wire{
		"HTTP/1.1, ended": func(t *testing.T) *wire {
			return newWire(t, keepAlive(head("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Content-Length: 9")+"data: x\n\n"))
		},
		"HTTP/1.1, refused": func(t *testing.T) *wire {
			return newWire(t, keepAlive(head("HTTP/1.1 503 Unavailable", "Content-Length: 0")))
		},
		"HTTP/1.1, redirected": func(t *testing.T) *wire {
			return newWire(t, keepAlive(head("HTTP/1.1 302 Found", "Location: /", "Content-Length: 0")))
		},
		"HTTP/2, silent": func(t *testing.T) *wire {
			return newWire2(t, func(c *http2Conn) {
				for stream := c.request(); stream > 0; stream = c.request() {
					c.open(stream, "data: x\n\n")
				}
			})
		},
		"HTTP/2, reset": func(t *testing.T) *wire {
			return newWire2(t, func(c *http2Conn) {
				for stream := c.request(); stream > 0; stream = c.request() {
					c.open(stream, "data: x\n\n")
					c.send(resetFrame, 0, stream, "\x00\x00\x00\x02")
				}
			})
		},
		"HTTP/2, refused": func(t *testing.T) *wire {
			return newWire2(t, func(c *http2Conn) {
				for stream := c.request(); stream > 0; stream = c.request() {
					c.send(headersFrame, endHeaders|endStream, stream, literal(":status", "503"))
				}
			})
		},
	}
	for name, newWire := range wires {
		for _, own := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWire(t)
					client := w.client
					if !own {
						client = w.wrapped()
					}
					for n := range attempts {
						before := w.dialed.Load()
						if _, err := receive(t.Context(), client, anyURL); err == nil || w.dialed.Load() == before {
							t.Errorf("attempt %d: %v; %d connections were made", n, err, w.dialed.Load()-before)
						}
					}
				})
			})
		}
	}
}

// keepAlive answers every request of a connection in the same way.
func keepAlive(response string) func(net.Conn) {
	return func(conn net.Conn) {
		for r := bufio.NewReader(conn); ; {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			if _, err := io.WriteString(conn, response); err != nil {
				return
			}
		}
	}
}

// A name that moves to another address is looked up again.
func TestNameThatMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var servers sync.WaitGroup
		addresses := map[string]*http.Transport{
			"old": pipeTransport(&servers, keepAlive(head("HTTP/1.1 503 Unavailable", "Content-Length: 0"))),
			"new": pipeTransport(&servers, keepAlive(okHeader+"data: x\n\n")),
		}
		name := "old"
		client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return addresses[name].DialContext(ctx, network, address)
		}}}
		if _, err := receive(t.Context(), client, anyURL); err == nil {
			t.Error("the old server took the request")
		}
		name = "new"
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if data, err := receive(ctx, client, anyURL); len(data) != 1 {
			t.Errorf("the new server: %v", err)
		}
		servers.Wait()
	})
}

// What a server sends before the request, or after the response, net/http would write to the standard logger.
func TestNothingIsLogged(t *testing.T) {
	for name, serve := range map[string]func(net.Conn){
		"after the end": answering([]string{
			head("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Content-Length: 2") + ":\n" + secret + "\n"}),
		"later after the end": answering([]string{
			head("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Content-Length: 2") + ":\n", secret}, 0, time.Second),
		"after a refusal":  answering([]string{head("HTTP/1.1 503 X", "Content-Length: 0") + secret}),
		"after a redirect": answering([]string{head("HTTP/1.1 302 X", "Location: /", "Content-Length: 0") + secret}),
		"before the request": func(conn net.Conn) {
			_, _ = io.WriteString(conn, "220 "+secret+"\r\n")
			silent(conn)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t, serve)
				clients := []*http.Client{w.client}
				if name != "before the request" { // what is dialed elsewhere is not in our hands
					clients = append(clients, w.wrapped())
				}
				for _, client := range clients {
					out := logged(func() {
						_, _ = receive(t.Context(), client, anyURL)
						time.Sleep(time.Minute)
						synctest.Wait()
					})
					if out != "" {
						t.Errorf("the standard logger got %s", out)
					}
				}
			})
		})
	}
}

func zip(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, text)
	_ = z.Flush()
	return b.String()
}

func TestCompressedStream(t *testing.T) {
	zipped := head("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Content-Encoding: gzip")
	t.Run("as it is flushed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			flushed := func(text string) string {
				_, _ = io.WriteString(z, text)
				_ = z.Flush()
				defer b.Reset()
				return b.String()
			}
			w := newWire(t, answering([]string{zipped + flushed("data: x\n\n"), flushed(":\n"), flushed("data: y\n\n")},
				0, 4*time.Minute, 4*time.Minute))
			data, err := receive(t.Context(), w.client, anyURL)
			if strings.Join(data, " ") != "x y" || !errors.Is(err, ErrIdle) {
				t.Errorf("%q, %v", data, err)
			}
		})
	})
	t.Run("as its members end", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			member := func(text string) string {
				var b bytes.Buffer
				z := gzip.NewWriter(&b)
				_, _ = io.WriteString(z, text)
				_ = z.Close()
				return b.String()
			}
			w := newWire(t, answering([]string{zipped + member("data: x\n\n"), strings.Repeat(member(""), 200) + member("data: y\n\n")},
				0, 4*time.Minute))
			begin, data := time.Now(), []string(nil)
			err := Connect(Get(anyURL), &ConnectOptions{Client: w.client})(t.Context(), func(e Event) bool {
				data = append(data, fmt.Sprint(string(e.Data), time.Since(begin)))
				return true
			})
			if strings.Join(data, " ") != "x0s y4m0s" || !errors.Is(err, ErrIdle) {
				t.Errorf("%q, %v", data, err)
			}
		})
	})
	for name, test := range map[string]struct {
		body string
		want error
	}{
		"no gzip at all":      {"data: not compressed\n\n", gzip.ErrHeader},
		"broken off":          {zip("data: x\n\n")[:15], io.ErrUnexpectedEOF},
		"silent":              {"", ErrIdle},
		"a bomb":              {zip("data: " + strings.Repeat("x", 2*bomb)), ErrEventTooLarge},
		"a bomb of a comment": {zip(":" + strings.Repeat("x", 2*bomb)), ErrEventTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t, func(conn net.Conn) {
					answering([]string{zipped})(bounded{conn, test.want == ErrIdle, test.body})
				})
				err := Connect(Get(anyURL), &ConnectOptions{Client: w.client, MaxEventSize: bomb})(t.Context(), unexpected(t))
				if !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
			})
		})
	}
}

const bomb = 1 << 20

// A bounded connection writes a body after its header, and ends unless it is to stay.
type bounded struct {
	net.Conn
	stay bool
	body string
}

func (b bounded) Write(p []byte) (int, error) {
	n, err := b.Conn.Write(slices.Concat(p, []byte(b.body)))
	if !b.stay {
		_ = b.Close()
	}
	return min(n, len(p)), err
}

func TestContentCodings(t *testing.T) {
	for coding, want := range map[string]string{
		"br": "br", "zstd": "zstd", "deflate": "deflate", "GZIP": "-", "x-gzip": "-", "identity": "-", "": "-",
		"gzip, gzip": "", "br\x00": "", strings.Repeat("x", 8<<20): "", secret: "", "sdk-00000000-1111": "",
	} {
		header := http.Header{"Content-Type": {mediaType}, "Content-Encoding": {coding}}
		client := &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: header, Body: io.NopCloser(strings.NewReader(zip("data: x\n\n"))), Request: req}, nil
		})}
		_, err := receive(t.Context(), client, anyURL)
		var unsupported *ContentCodingError
		if refused := errors.As(err, &unsupported); refused == (want == "-") || refused && unsupported.Coding != want {
			t.Errorf("%.20q: %.100v", coding, err)
		}
		if len(err.Error()) > 100 {
			t.Errorf("%.20q: the error has %d bytes", coding, len(err.Error()))
		}
	}
}

// A media type is shown if it looks like one.
func TestContentTypeIsShort(t *testing.T) {
	for contentType, want := range map[string]string{
		"text/html; charset=utf-8": "text/html", "application/problem+json": "application/problem+json", "video/mp4": "video/mp4",
		"text/" + strings.Repeat("x", 8<<20): "", strings.Repeat("x", 8<<20): "", "a/b/c": "", "text/": "", "text": "",
		"text/" + secret: "", secret + "/x": "", "text/html, " + secret: "", "text/sdk-00000000-1111": "", "te xt/html": "",
	} {
		header := http.Header{"Content-Type": {contentType}}
		client := &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: header, Body: http.NoBody, Request: req}, nil
		})}
		_, err := receive(t.Context(), client, anyURL)
		var wrong *ContentTypeError
		if !errors.As(err, &wrong) || wrong.ContentType != want || len(err.Error()) > 100 || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %.100v", contentType, err)
		}
	}
}

// A credential that looks like a name is not shown, in whatever case it comes back.
func TestCredentialInThePlaceOfAName(t *testing.T) {
	const key = "Rel-Key-Abcdef"
	for _, echo := range []string{key, strings.ToLower(key), strings.ToUpper(key)} {
		for _, header := range []http.Header{
			{"Content-Type": {"text/" + echo}}, {"Content-Type": {mediaType}, "Content-Encoding": {echo}},
		} {
			client := &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 200, Header: header, Body: http.NoBody, Request: req}, nil
			})}
			err := Connect(Get(anyURL).With("Authorization", key), &ConnectOptions{Client: client})(t.Context(), unexpected(t))
			if strings.Contains(strings.ToLower(err.Error()), strings.ToLower(key)) {
				t.Error(err)
			}
		}
	}
}

// A scheme that the caller has registered works.
func TestRegisteredScheme(t *testing.T) {
	transport := &http.Transport{}
	transport.RegisterProtocol("test", roundTrip(func(req *http.Request) (*http.Response, error) {
		header := http.Header{"Content-Type": {mediaType}}
		return &http.Response{StatusCode: 200, Header: header, Body: io.NopCloser(strings.NewReader("data: x\n\n")), Request: req}, nil
	}))
	if data, err := receive(t.Context(), &http.Client{Transport: transport}, "test://a.example/"); len(data) != 1 {
		t.Error(err)
	}
}

// The same request, made once, is sent with its whole body by each connection.
func TestBodyIsSentAgain(t *testing.T) {
	var got []string
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.Method+" "+r.Header.Get("Content-Type")+" "+string(body))
		writeStream(w, "data: x\n\n")
	})
	same, _ := http.NewRequest("POST", server.URL, strings.NewReader("hello"))
	for _, newRequest := range []RequestFunc{
		func(context.Context) (*http.Request, error) { return same, nil },
		Send("REPORT", server.URL, []byte("hello")).With("Content-Type", "text/plain"),
	} {
		got = nil
		for range 2 {
			if data, err := collect(t, newRequest, nil); len(data) != 1 {
				t.Error(err)
			}
		}
		if len(got) != 2 || got[0] != got[1] || !strings.HasSuffix(got[0], "hello") {
			t.Errorf("the server got %q", got)
		}
	}
}
