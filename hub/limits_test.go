package hub_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream/sse"
)

// neverRead connects a reader that sends its request and reads nothing. A pipe holds no byte for it.
func (f *front) neverRead(t *testing.T) net.Conn {
	t.Helper()
	conn, err := f.server.Client().Transport.(*http.Transport).DialContext(t.Context(), "tcp", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "GET /relay_auto_config HTTP/1.1\r\nHost: hub\r\nAccept: text/event-stream\r\nAuthorization: %s\r\n\r\n", testkit.Key)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestWriteTimeout cuts off a reader that takes nothing, after DefaultWriteTimeout, and nobody else waits for it.
func TestWriteTimeout(t *testing.T) {
	bothWays(t, hub.Options{}, func(t *testing.T, srv *autoconfigtest.Server, h *front) {
		srv.Put(testkit.Listing(testkit.Environment("a", 1)))
		synctest.Wait()
		for range 20 {
			h.neverRead(t)
		}
		w := h.read("")
		w.Take()
		for version := 2; version < 100; version++ {
			srv.Patch(testkit.Environment("a", version))
		}
		if got := w.Take(); len(got) != 98 {
			t.Errorf("%d events at once", len(got))
		}
		testkit.Pass(hub.DefaultWriteTimeout - time.Second)
		if s := h.Stats(); s.Readers != 21 {
			t.Errorf("before: %+v", s)
		}
		testkit.Pass(time.Second)
		if s := h.Stats(); s.Readers != 1 || s.TimedOut != 20 || s.Lagging != 0 {
			t.Errorf("after: %+v", s)
		}
		testkit.Pass(time.Hour)
		if len(h.Readers()) != 1 {
			t.Error("an idle reader was cut off")
		}
		w.Stop()
	})
}

// TestReadersThatNeverRead come one after another while the configuration changes, a thousand of them. They cost less than 40 KB
// each, though what each of them should be sent is much more, and somebody else gets every change at once.
func TestReadersThatNeverRead(t *testing.T) {
	const readers = 1000
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		h := serve(t, testkit.To(srv), hub.Options{}, true, nil)
		c := testkit.Listing()
		for i := range 1000 {
			id := autoconfig.EnvironmentID(fmt.Sprint("e", i))
			c.Environments[id] = testkit.Environment(id, 1)
		}
		srv.Put(c)
		synctest.Wait()
		w := h.read("")
		w.Take()
		before := memory()
		for version := 2; version < 2+readers; version++ {
			conn := h.neverRead(t)
			for header := []byte{}; !bytes.HasSuffix(header, []byte("\r\n\r\n")); { // then the put stands next
				var b [1]byte
				if _, err := conn.Read(b[:]); err != nil {
					t.Fatal(err)
				}
				header = append(header, b[0])
			}
			srv.Patch(testkit.Environment("e1", version))
			if got := w.Take(); len(got) != 1 || got[0].Type != "patch" {
				t.Fatalf("version %d: %v", version, got)
			}
		}
		each := int64(memory()-before) / readers
		t.Logf("%d bytes, %+v", each, h.Stats())
		if h.Stats().Readers != readers+1 || each > 40_000 {
			t.Errorf("%d bytes each, %+v", each, h.Stats())
		}
		testkit.Pass(hub.DefaultWriteTimeout)
		if s := h.Stats(); s.Readers != 1 || s.TimedOut != readers {
			t.Errorf("%+v", s)
		}
		w.Stop()
	})
}

// TestMaxBacklog cuts off a reader for which more waits, at once.
func TestMaxBacklog(t *testing.T) {
	bothWays(t, hub.Options{MaxBacklog: 4000}, func(t *testing.T, srv *autoconfigtest.Server, h *front) {
		srv.Put(testkit.Listing(testkit.Environment("a", 1)))
		synctest.Wait()
		for range 20 {
			h.neverRead(t)
		}
		w := h.read("")
		w.Take()
		for version := 2; len(h.Readers()) > 1; version++ {
			if s := h.Stats(); s.Lagging != 0 || s.TimedOut != 0 {
				t.Fatalf("%+v", s)
			}
			for _, r := range h.Readers() {
				if r.Lag > 4000 {
					t.Fatalf("%+v", r)
				}
			}
			srv.Patch(testkit.Environment("a", version))
			synctest.Wait()
			if version > 4000/len(testkit.JSON(testkit.Environment("a", 1)))+1 {
				t.Fatalf("%d patches: %+v", version, h.Stats())
			}
		}
		if s := h.Stats(); s.Lagging != 20 || s.TimedOut != 0 || h.Readers()[0].Lag != 0 {
			t.Errorf("%+v, %+v", s, h.Readers())
		}
		w.Stop()
	})
}

// TestPutsCountInTheBacklog: each as a quarter, whatever its size.
func TestPutsCountInTheBacklog(t *testing.T) {
	bothWays(t, hub.Options{MaxBacklog: 4000}, func(t *testing.T, srv *autoconfigtest.Server, h *front) {
		a, b := testkit.Environment("a", 1), testkit.Environment("b", 1)
		b.EnvName = string(bytes.Repeat([]byte("b"), 100_000))
		srv.Put(testkit.Listing(a, b))
		synctest.Wait()
		h.neverRead(t)
		w := h.read("")
		w.Take()
		for range 4 {
			if n := len(h.Readers()); n != 2 {
				t.Fatalf("%d readers: %+v", n, h.Stats())
			}
			srv.Put(testkit.Listing(b))
			srv.Put(testkit.Listing(a, b))
			synctest.Wait()
		}
		if s := h.Stats(); s.Lagging != 1 || s.Readers != 1 {
			t.Errorf("%+v", s)
		}
		w.Stop()
	})
}

// TestSlowReaderGetsItsPut: a deadline is for a piece of it. And a put that nobody reads is cut off all the same.
func TestSlowReaderGetsItsPut(t *testing.T) {
	bothWays(t, hub.Options{}, func(t *testing.T, srv *autoconfigtest.Server, h *front) {
		a := testkit.Environment("a", 1)
		a.EnvName = string(bytes.Repeat([]byte("a"), 1<<20))
		srv.Put(testkit.Listing(a))
		synctest.Wait()
		proxy := autoconfigtest.NewProxy(h.server)
		defer proxy.Close()
		proxy.Next(autoconfigtest.Link{Rate: 4 << 10}) // 64 KiB in 16 s, all in four minutes
		h.neverRead(t)
		w := testkit.Watch(sse.Connect(request(proxy.URL, ""), &sse.ConnectOptions{Client: proxy.Client()}))
		testkit.Pass(5 * time.Minute)
		if got := w.Stop(); len(got) != 1 || h.Stats().TimedOut != 1 {
			t.Errorf("%d events, %+v", len(got), h.Stats())
		}
	})
}

// TestMaxReaders refuses with 503 who comes when there are enough. DefaultMaxReaders is 10,000.
func TestMaxReaders(t *testing.T) {
	bothWays(t, hub.Options{MaxReaders: 3}, func(t *testing.T, _ *autoconfigtest.Server, h *front) {
		limited(t, h, http.StatusServiceUnavailable, hub.Refused{Unavailable: 1})
	})
	if hub.DefaultMaxReaders != 10_000 {
		t.Error(hub.DefaultMaxReaders)
	}
}

// TestMaxReadersPerAddress refuses with 429. By default there is no such limit: TestPutsAreEncodedOnce.
func TestMaxReadersPerAddress(t *testing.T) {
	bothWays(t, hub.Options{MaxReadersPerAddress: 3}, func(t *testing.T, _ *autoconfigtest.Server, h *front) {
		limited(t, h, http.StatusTooManyRequests, hub.Refused{Address: 1})
	})
}

// limited: a hub has room for three readers, and for another one when one of them has left.
func limited(t *testing.T, h *front, want int, refused hub.Refused) {
	t.Helper()
	var readers []*testkit.Watcher[sse.Event]
	for range 3 {
		readers = append(readers, h.read(""))
	}
	synctest.Wait()
	if r := h.status(t, nil); r.StatusCode != want || r.Header.Get("Retry-After") != "5" || h.Stats().Refused != refused {
		t.Errorf("%s %v, %+v", r.Status, r.Header, h.Stats())
	}
	readers[1].Stop()
	synctest.Wait()
	if r := h.status(t, nil); r.StatusCode != http.StatusOK {
		t.Error(r.Status)
	}
	for _, w := range readers {
		w.Stop()
	}
}

// TestShutdownIsSpread over DefaultSpread, reader by reader, while no new ones come.
func TestShutdownIsSpread(t *testing.T) {
	bothWays(t, hub.Options{}, func(t *testing.T, srv *autoconfigtest.Server, h *front) {
		srv.Put(testkit.Listing())
		synctest.Wait()
		var readers []*testkit.Watcher[sse.Event]
		for range 10 {
			readers = append(readers, h.read(""))
		}
		synctest.Wait()
		done := make(chan error)
		go func() { done <- h.Shutdown(context.Background()) }()
		for left := 9; left > 0; left-- {
			synctest.Wait()
			if n := len(h.Readers()); n != left {
				t.Fatalf("%d readers left, want %d", n, left)
			}
			if r := h.status(t, nil); r.StatusCode != http.StatusServiceUnavailable {
				t.Error(r.Status)
			}
			time.Sleep(hub.DefaultSpread / 10)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		for _, w := range readers {
			if err := w.End(); !errors.Is(err, sse.ErrEndOfStream) {
				t.Error(err)
			}
		}
	})
}

// TestShutdownOfWhoHasLeft does not take Options.Spread.
func TestShutdownOfWhoHasLeft(t *testing.T) {
	bothWays(t, hub.Options{}, func(t *testing.T, srv *autoconfigtest.Server, h *front) {
		var readers []*testkit.Watcher[sse.Event]
		for range 10 {
			readers = append(readers, h.read(""))
		}
		synctest.Wait()
		start := time.Now()
		done := make(chan error)
		go func() { done <- h.Shutdown(context.Background()) }()
		synctest.Wait()
		for _, w := range readers {
			w.Stop()
		}
		if err := <-done; err != nil || time.Since(start) > time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// TestShutdownHeedsItsContext and leaves the rest to Close.
func TestShutdownHeedsItsContext(t *testing.T) {
	bothWays(t, hub.Options{Spread: time.Minute}, func(t *testing.T, srv *autoconfigtest.Server, h *front) {
		srv.Put(testkit.Listing())
		synctest.Wait()
		h.neverRead(t)
		h.neverRead(t)
		synctest.Wait()
		enough := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, enough)
		defer cancel()
		start := time.Now()
		if err := h.Shutdown(ctx); !errors.Is(err, enough) || time.Since(start) > time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		start = time.Now()
		h.Close()
		if took := time.Since(start); took > 100*time.Millisecond || len(h.Readers()) != 0 {
			t.Errorf("Close took %v, %d readers are left", took, len(h.Readers()))
		}
		if err := h.Shutdown(context.Background()); err != nil {
			t.Error("of a closed hub:", err)
		}
	})
}

// TestCloseEndsStreamsProperly for those that read.
func TestCloseEndsStreamsProperly(t *testing.T) {
	bothWays(t, hub.Options{}, func(t *testing.T, srv *autoconfigtest.Server, h *front) {
		w := h.read("")
		synctest.Wait()
		h.Close()
		h.Close()
		if err := w.End(); !errors.Is(err, sse.ErrEndOfStream) {
			t.Error(err)
		}
		if r := h.status(t, nil); r.StatusCode != http.StatusServiceUnavailable {
			t.Error(r.Status)
		}
	})
}

// TestCloseLeavesBrokenStreamsBroken: what was not sent whole does not end as if it were.
func TestCloseLeavesBrokenStreamsBroken(t *testing.T) {
	bothWays(t, hub.Options{}, func(t *testing.T, srv *autoconfigtest.Server, h *front) {
		srv.Put(testkit.Listing(testkit.Environment("a", 1)))
		synctest.Wait()
		conn := h.neverRead(t)
		if _, err := conn.Read(make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		go h.Close()
		synctest.Wait()
		if rest, _ := io.ReadAll(conn); len(rest) > 0 {
			t.Errorf("%q", rest)
		}
	})
}

// TestCloseOverTLS waits for nobody who reads nothing, though TLS would say farewell.
func TestCloseOverTLS(t *testing.T) {
	certificates := httptest.NewUnstartedServer(nil)
	certificates.StartTLS()
	certificates.Close()
	synctest.Test(t, func(t *testing.T) {
		h := offline(t, hub.Options{}, 1000)
		accepted := make(chan net.Conn)
		server := &http.Server{Handler: h}
		go func() { _ = server.Serve(tls.NewListener(pipes(accepted), certificates.TLS)) }()
		defer server.Close()
		near, far := net.Pipe()
		defer near.Close()
		accepted <- far
		conn := tls.Client(near, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
		_, err := fmt.Fprintf(conn, "GET /relay_auto_config HTTP/1.1\r\nHost: hub\r\nAccept: text/event-stream\r\nAuthorization: %s\r\n\r\n", testkit.Key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		start := time.Now()
		h.Close()
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("Close took %v", took)
		}
	})
}
