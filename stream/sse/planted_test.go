package sse

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// planted is a key that only the server sends, in the form in which it would stand in a configuration.
const planted = `sdk-00000000-1111-2222-3333-444444444444`

var plantedJSON = `{"value":"` + planted + `"}`

// plantedHTTP1 are responses of HTTP/1.1 with a key wherever the HTTP stack may quote it.
func plantedHTTP1() map[string]string {
	const k = planted
	const events = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
	return map[string]string{
		"not HTTP":                 plantedJSON + "\r\n\r\n",
		"protocol":                 head(k + "/1.1 200 OK"),
		"version":                  head("HTTP/" + k + " 200 OK"),
		"status code":              head("HTTP/1.1 " + k),
		"status text":              head("HTTP/1.1 503 " + k),
		"status text of 200":       head("HTTP/1.1 200 " + k),
		"status text of 101":       head("HTTP/1.1 101 " + k),
		"header name":              head("HTTP/1.1 200 OK", k+" : x"),
		"header line":              head("HTTP/1.1 200 OK", plantedJSON),
		"header value":             head("HTTP/1.1 200 OK", "X: \x00"+k),
		"continued header":         head("HTTP/1.1 200 OK", " "+k),
		"long header":              head("HTTP/1.1 200 OK", "X: "+strings.Repeat(k, 1<<19)),
		"informational header":     head("HTTP/1.1 103 "+k, plantedJSON),
		"many informational":       strings.Repeat(head("HTTP/1.1 103 "+k, "X: "+k), 100),
		"content length":           head("HTTP/1.1 200 OK", "Content-Length: "+k),
		"two content lengths":      head("HTTP/1.1 200 OK", "Content-Length: 1", "Content-Length: 2"+k),
		"transfer encoding":        head("HTTP/1.1 200 OK", "Transfer-Encoding: "+k),
		"two transfer encodings":   head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Transfer-Encoding: "+k),
		"redirect target":          head("HTTP/1.1 302 Found", "Location: http://[::1/"+k),
		"redirect scheme":          head("HTTP/1.1 302 Found", "Location: "+k+"://127.0.0.1/"),
		"redirect to nowhere":      head("HTTP/1.1 302 Found", "Location: http://"+k+".invalid/"),
		"redirect to no port":      head("HTTP/1.1 302 Found", "Location: http://127.0.0.1:"+k+"/"),
		"redirect with a password": head("HTTP/1.1 302 Found", "Location: http://a:"+k+"@127.0.0.1:"+"bad/"),
		"redirect without host":    head("HTTP/1.1 302 Found", "Location: http:"+k),
		"redirect without target":  head("HTTP/1.1 302 "+k, "Refresh: "+k),
		"content type":             head("HTTP/1.1 200 OK", "Content-Type: "+k),
		"media type":               head("HTTP/1.1 200 OK", "Content-Type: text/"+k),
		"parameter of a type":      head("HTTP/1.1 200 OK", "Content-Type: text/html; key="+k),
		"content coding":           events + head("Content-Encoding: "+k),
		"content codings":          events + head("Content-Encoding: br", "Content-Encoding: "+k),
		"gzip data":                events + head("Content-Encoding: gzip") + plantedJSON + plantedJSON,
		"gzip name":                events + head("Content-Encoding: gzip") + "\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03" + k,
		"chunk size":               events + head("Transfer-Encoding: chunked") + k + "\r\n",
		"long chunk size":          events + head("Transfer-Encoding: chunked") + strings.Repeat(k, 1000) + "\r\n",
		"chunk extension":          events + head("Transfer-Encoding: chunked") + "2;" + strings.Repeat(k, 1000) + "\r\n:\n\r\n",
		"end of a chunk":           events + head("Transfer-Encoding: chunked") + "2\r\n:\n" + k,
		"trailer line":             events + head("Transfer-Encoding: chunked") + "2\r\n:\n\r\n0\r\n" + plantedJSON + "\r\n\r\n",
		"trailer":                  events + head("Transfer-Encoding: chunked", "Trailer: "+k) + "2\r\n:\n\r\n0\r\n" + k + ": x\r\n\r\n",
		"trailer that is refused":  events + head("Transfer-Encoding: chunked", "Trailer: Content-Length, "+k),
		"after the end":            events + head("Content-Length: 2") + ":\n" + plantedJSON,
		"body of a refusal":        head("HTTP/1.1 401 Unauthorized", "Www-Authenticate: "+k) + plantedJSON,
		"retry after":              head("HTTP/1.1 503 X", "Retry-After: "+k, "Date: "+k),
		"cookie":                   head("HTTP/1.1 302 X", "Location: /", "Set-Cookie: a="+k+"; Domain="+k),
		"the stream":               events + "\r\nretry: " + k + "\n" + plantedJSON + ": " + k,
		"an event too large":       events + "\r\ndata: " + strings.Repeat(k, 1000),
	}
}

// plantedHTTP2 are the same for HTTP/2: answers to the request on a stream.
func plantedHTTP2() map[string]func(c *http2Conn, stream uint32) {
	const k = planted
	answer := func(flags byte, fields ...string) func(*http2Conn, uint32) {
		return func(c *http2Conn, stream uint32) {
			c.send(headersFrame, endHeaders|flags, stream, strings.Join(fields, ""))
		}
	}
	eventStream := literal("content-type", mediaType)
	return map[string]func(c *http2Conn, stream uint32){
		"not HTTP/2":          func(c *http2Conn, _ uint32) { _, _ = io.WriteString(c, plantedJSON) },
		"GOAWAY":              func(c *http2Conn, _ uint32) { c.goAway(0, k) },
		"GOAWAY and the end":  func(c *http2Conn, stream uint32) { c.goAway(stream, k); _ = c.Close() },
		"status":              answer(0, literal(":status", k)),
		"no status":           answer(0, eventStream, literal("x", k)),
		"pseudo header":       answer(0, status200, literal(":"+k, "x")),
		"late pseudo header":  answer(0, status200, eventStream, literal(":status", k)),
		"header name":         answer(0, status200, literal(strings.ToUpper(k), "x")),
		"header value":        answer(0, status200, literal("x", k+"\x00")),
		"header block":        answer(0, "\xff\xff\xff\xff\xff"+k),
		"content type":        answer(endStream, status200, literal("content-type", "text/"+k)),
		"content coding":      answer(endStream, status200, eventStream, literal("content-encoding", k)),
		"content length":      answer(0, status200, eventStream, literal("content-length", k)),
		"redirect target":     answer(endStream, literal(":status", "302"), literal("location", "http://[::1/"+k)),
		"refusal":             answer(endStream, literal(":status", "403"), literal("www-authenticate", k)),
		"trailer":             planted2(func(c *http2Conn, s uint32) { c.send(headersFrame, endHeaders|endStream, s, literal(":"+k, k)) }),
		"trailer that is odd": planted2(func(c *http2Conn, s uint32) { c.send(headersFrame, endHeaders, s, literal(k, k)) }),
		"reset":               planted2(func(c *http2Conn, s uint32) { c.send(resetFrame, 0, s, "\x00\x00\x00\x02") }),
		"reset that is odd":   planted2(func(c *http2Conn, s uint32) { c.send(resetFrame, 0, s, k) }),
		"GOAWAY in a stream":  planted2(func(c *http2Conn, s uint32) { c.goAway(s, secret+k); _ = c.Close() }),
		"unknown frame":       planted2(func(c *http2Conn, s uint32) { c.send(99, 0, s, k); _ = c.Close() }),
		"data of no stream":   planted2(func(c *http2Conn, s uint32) { c.send(dataFrame, 0, s+2, k); _ = c.Close() }),
		"data after the end":  planted2(func(c *http2Conn, s uint32) { c.send(dataFrame, endStream, s, ""); c.send(dataFrame, 0, s, k) }),
		"pushed":              planted2(func(c *http2Conn, s uint32) { c.send(5, endHeaders, s, "\x00\x00\x00\x02"+k) }),
		"settings":            planted2(func(c *http2Conn, _ uint32) { c.send(settingsFrame, 0, 0, k) }),
		"ping":                planted2(func(c *http2Conn, _ uint32) { c.send(6, 0, 0, k) }),
	}
}

// planted2 opens the stream before what follows.
func planted2(then func(c *http2Conn, stream uint32)) func(*http2Conn, uint32) {
	return func(c *http2Conn, stream uint32) {
		c.open(stream, ":\n")
		then(c, stream)
	}
}

// expectNoKey connects once, and looks for the keys in everything that a program may show of it.
func expectNoKey(t *testing.T, client *http.Client) {
	t.Helper()
	var err error
	out := logged(func() {
		err = Connect(Get(anyURL).With("Authorization", secret),
			&ConnectOptions{Client: client, MaxEventSize: 10_000, RefusePlainHTTP: true})(t.Context(), func(Event) bool { return true })
		time.Sleep(time.Hour)
		synctest.Wait()
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, shown := range []string{shownForms(err), out} {
		for _, key := range []string{planted, secret, url.QueryEscape(planted), strings.ToUpper(planted)} {
			if i := strings.Index(shown, key); i >= 0 {
				t.Fatalf("the key shows in %.200q", shown[max(0, i-100):])
			}
		}
	}
	t.Log(err)
}

func TestNothingOfAResponseIsShown(t *testing.T) {
	for name, response := range plantedHTTP1() {
		t.Run("HTTP1/"+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				expectNoKey(t, newWire(t, func(conn net.Conn) {
					go silent(conn) // what it sends may be longer than a client wants to read
					_, _ = io.WriteString(conn, response)
				}).client)
			})
			synctest.Test(t, func(t *testing.T) { expectNoKey(t, newWire(t, answering([]string{response})).wrapped()) })
		})
	}
	for name, answer := range plantedHTTP2() {
		t.Run("HTTP2/"+name, func(t *testing.T) {
			for _, wrapped := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					w := newWire2(t, func(c *http2Conn) {
						if stream := c.request(); stream > 0 {
							answer(c, stream)
						}
						c.drain()
					})
					client := w.client
					if wrapped {
						client = w.wrapped()
					}
					expectNoKey(t, client)
				})
			}
		})
	}
}
