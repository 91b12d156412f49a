package autoconfigtest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
)

func TestServerServesEveryKind(t *testing.T) {
	for name, newServer := range kinds {
		t.Run(name, func(t *testing.T) {
			s := newServer(key)
			defer s.Close()
			response := connect(t, s.Client(), s.URL) // silent until there is a configuration
			s.Put(environments(environment("e1", 1)))
			s.Heartbeat()
			s.Patch(environment("e2", 1))
			s.Reconnect()
			s.SendEvent("other", "two\nlines")

			stream := newEvents(response.Body)
			for _, want := range []string{"put", "patch", "reconnect", "other"} {
				e := stream.mustNext(t)
				if e.name != want {
					t.Errorf("got event %q, want %q", e.name, want)
				}
				if want == "other" && e.data != "two\nlines" {
					t.Errorf("got data %q", e.data)
				}
			}
			late := newEvents(connect(t, s.Client(), s.URL).Body)
			if e := late.mustNext(t); e.name != "put" || !strings.Contains(e.data, "sdk-secret-of-e2") {
				t.Errorf("a later connection began with %s %s", e.name, e.data)
			}
		})
	}
}

func TestServerIsStrict(t *testing.T) {
	s := autoconfigtest.NewPipeServer(key)
	defer s.Close()
	s.Next(autoconfigtest.Status(599)) // for the first request that passes the checks
	tests := []struct {
		why    string
		change func(*http.Request)
		status int
	}{
		{"wrong path", func(r *http.Request) { r.URL.Path += "/" }, 404},
		{"wrong method", func(r *http.Request) { r.Method = http.MethodHead }, 405},
		{"no Accept", func(r *http.Request) { r.Header.Del("Accept") }, 406},
		{"only other types accepted", func(r *http.Request) { r.Header.Set("Accept", "text/html, */*") }, 406},
		{"no key", func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		{"key with a scheme", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) }, 401},
		{"two keys", func(r *http.Request) { r.Header.Add("Authorization", "x") }, 401},
		{"version that is not a number", func(r *http.Request) { r.URL.RawQuery = "rpacProtocolVersion=x" }, 400},
		{"version 0", func(r *http.Request) { r.URL.RawQuery = "rpacProtocolVersion=0" }, 400},
		{"two versions", func(r *http.Request) { r.URL.RawQuery += "&rpacProtocolVersion=2" }, 400},
		{"accepted, among other types", func(r *http.Request) { r.Header.Set("Accept", "text/html, text/event-stream;q=1") }, 599},
	}
	for i, test := range tests {
		r := newRequest(t.Context(), t, s.URL)
		test.change(r)
		response, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != test.status {
			t.Errorf("%s: got status %d, want %d", test.why, response.StatusCode, test.status)
		}
		got := s.Requests()[i]
		want := autoconfigtest.Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Status: test.status}
		if got.Header.Get("Authorization") != r.Header.Get("Authorization") {
			t.Errorf("%s: the header of the request is missing", test.why)
		}
		got.Header = nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: recorded request (-want +got):\n%s", test.why, diff)
		}
	}
}

func TestFiltersOnlyForProtocolVersion2(t *testing.T) {
	s := autoconfigtest.NewPipeServer(key)
	defer s.Close()
	content := environments()
	content.Filters = map[decode.FilterID]decode.FilterRep{"f1": {FilterKey: "f", Version: 1}}
	s.Put(content)
	bodies := map[string]io.Reader{}
	for _, query := range []string{"", "rpacProtocolVersion=1", "rpacProtocolVersion=2", "rpacProtocolVersion=3"} {
		r := newRequest(t.Context(), t, s.URL)
		r.URL.RawQuery = query
		response, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		bodies[query] = response.Body
	}
	if err := s.AwaitConnections(t.Context(), len(bodies)); err != nil {
		t.Fatal(err)
	}
	s.Put(content)
	s.PatchFilter("f1", decode.FilterRep{FilterKey: "f", Version: 2})
	s.DeleteFilter("f1", 3)
	s.EndConnections()
	for query, body := range bodies {
		b, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		want := 4 * strings.Count(query, "=")
		if strings.HasSuffix(query, "=1") {
			want = 0
		}
		if got := strings.Count(string(b), "f1"); got != want {
			t.Errorf("query %q: %d messages about filters, want %d", query, got, want)
		}
	}
}

func TestConnectionsOpenedDuringChangesMissNothing(t *testing.T) {
	s := autoconfigtest.NewServer(key)
	defer s.Close()
	s.Put(environments())
	var clients sync.WaitGroup
	bodies := make([][]byte, 8)
	const patches = 500
	for i := range bodies {
		clients.Go(func() {
			// The number of requests is as good as a random moment.
			if err := s.AwaitRequests(t.Context(), i); err != nil {
				t.Error(err)
				return
			}
			response, err := s.Client().Do(newRequest(t.Context(), t, s.URL))
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			bodies[i], err = io.ReadAll(response.Body)
			if err != nil {
				t.Error(err)
			}
		})
	}
	for i := range patches {
		s.Patch(environment(decode.EnvironmentID(fmt.Sprint("e", i%50)), i))
	}
	if err := s.AwaitConnections(t.Context(), len(bodies)); err != nil {
		t.Fatal(err)
	}
	s.Patch(environment("last", 1))
	s.EndConnections()
	clients.Wait()
	for i, body := range bodies {
		if diff := cmp.Diff(s.Content(), fold(t, body), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("client %d (-server +client):\n%s", i, diff)
		}
	}
}

func TestStalledClientDelaysNoOther(t *testing.T) {
	s := autoconfigtest.NewPipeServer(key)
	defer s.Close()
	connect(t, s.Client(), s.URL) // reads only the header
	reading := newEvents(connect(t, s.Client(), s.URL).Body)
	if err := s.AwaitConnections(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	big := strings.Repeat("x", 64<<10)
	for range 100 {
		s.SendEvent("big", big)
	}
	for range 100 {
		reading.mustNext(t)
	}
	if got := s.Connections(); got != 2 {
		t.Errorf("%d connections, want both to be open", got)
	}
}

func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := autoconfigtest.NewPipeServer(key)
		defer s.Close()
		cause := errors.New("too long")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, cause)
		defer cancel()

		response := connect(t, s.Client(), s.URL)
		if err := s.AwaitConnections(ctx, 1); err != nil {
			t.Error(err)
		}
		s.Put(environments())
		newEvents(response.Body).mustNext(t)
		if err := s.AwaitDrained(ctx); err != nil {
			t.Error(err)
		}
		_ = response.Body.Close()
		if err := s.AwaitConnections(ctx, 0); err != nil {
			t.Error(err)
		}

		connect(t, s.Client(), s.URL)
		s.SendEvent("big", strings.Repeat("x", 64<<10)) // is not read
		for name, await := range map[string]func(context.Context) error{
			"AwaitConnections": func(ctx context.Context) error { return s.AwaitConnections(ctx, 2) },
			"AwaitRequests":    func(ctx context.Context) error { return s.AwaitRequests(ctx, 3) },
			"AwaitDrained":     s.AwaitDrained,
		} {
			if err := await(ctx); err != cause {
				t.Errorf("%s: got %v, want the context's cause", name, err)
			}
		}
		failed := make(chan error, 1)
		go func() { failed <- s.AwaitRequests(t.Context(), 3) }()
		synctest.Wait()
		s.Close()
		if err := <-failed; err != http.ErrServerClosed {
			t.Errorf("after Close: got %v", err)
		}
	})
}

// If a connection is cut before the header arrives, an HTTP client may repeat the request silently.
func TestConnectionCountsFromItsHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := autoconfigtest.NewPipeServer(key)
		defer s.Close()
		conn, err := s.Client().Transport.(*http.Transport).DialContext(t.Context(), "tcp", "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		s.Next(autoconfigtest.HugeEvent(1 << 20)) // the header doesn't wait for all of it
		if err := newRequest(t.Context(), t, s.URL).Write(conn); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := s.Connections(); n != 0 {
			t.Errorf("%d connections before the header", n)
		}
		if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
			t.Fatal(err)
		}
		if err := s.AwaitConnections(t.Context(), 1); err != nil {
			t.Error(err)
		}
	})
}

func TestEndAndCloseConnections(t *testing.T) {
	for name, newServer := range kinds {
		t.Run(name, func(t *testing.T) {
			s := newServer(key)
			defer s.Close()
			s.Put(environments(environment("e1", 1)))
			want := wholeBody(t, s) // EndConnections ends it, after everything sent

			response := connect(t, s.Client(), s.URL)
			b := make([]byte, len(want))
			if _, err := io.ReadFull(response.Body, b); err != nil || string(b) != want {
				t.Fatalf("got %q, %v", b, err)
			}
			s.CloseConnections()
			if n := s.Connections(); n != 0 {
				t.Errorf("%d connections are open after all were closed", n)
			}
			if _, err := response.Body.Read(b); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("reading from a closed connection: got %v", err)
			}
		})
	}
}

func TestCloseWhateverClientsDo(t *testing.T) {
	half := "GET /relay_auto_config HTTP/1.1\r\n"
	body := "POST /relay_auto_config HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"
	full := half + "Host: x\r\nAccept: text/event-stream\r\nAuthorization: " + key + "\r\n\r\n"
	tests := []struct {
		why, request string
		fault        autoconfigtest.Fault
	}{
		{"says nothing", "", nil},
		{"sends half a request", half, nil},
		{"sends half a body", body, nil},
		{"never reads", full, autoconfigtest.HugeEvent(64 << 20)},
		{"gets no answer", full, autoconfigtest.Hang()},
		{"waits in the middle", full, autoconfigtest.Stall(10)},
		{"waits between bytes", full, autoconfigtest.Drip(time.Hour)},
	}
	for _, test := range tests {
		t.Run(test.why, func(t *testing.T) {
			s := autoconfigtest.NewServer(key)
			s.Put(environments(environment("e1", 1)))
			s.Next(test.fault)
			conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, test.request); err != nil {
				t.Fatal(err)
			}
			if test.request == full || test.request == body {
				if err := s.AwaitRequests(t.Context(), 1); err != nil {
					t.Fatal(err)
				}
			}
			s.Close()
			mustHaveStopped(t)
			s.Close()
			// The rest is cut off.
			if _, err := io.Copy(io.Discard, conn); err != nil && !isReset(err) {
				t.Error(err)
			}
		})
	}
}

// net/http forgets a connection that a handler has taken over; Close does not.
func TestCloseWaitsForHijackers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := autoconfigtest.NewPipeServer(key)
		s.Next(autoconfigtest.Handle(func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			<-r.Context().Done()
			time.Sleep(time.Minute)
		}))
		failed := make(chan error, 1)
		go func() {
			response, err := s.Client().Do(newRequest(t.Context(), t, s.URL))
			if err == nil {
				err = response.Body.Close()
			}
			failed <- err
		}()
		synctest.Wait()
		start := time.Now()
		s.Close()
		if took := time.Since(start); took != time.Minute {
			t.Errorf("Close took %v, but the handler took a minute", took)
		}
		if err := <-failed; err == nil {
			t.Error("the client got an answer")
		}
	})
}

func TestPutOfNothingIsWellFormed(t *testing.T) {
	s := autoconfigtest.NewPipeServer(key)
	defer s.Close()
	stream := newEvents(connect(t, s.Client(), s.URL).Body)
	s.Put(decode.PutContent{})
	got := stream.mustNext(t)
	if want := (event{"put", `{"path":"/","data":{"environments":{}}}`}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSecretsAreNotFormatted(t *testing.T) {
	s := autoconfigtest.NewPipeServer(key)
	defer s.Close()
	s.Put(environments(environment("e1", 1)))
	connect(t, s.Client(), s.URL)
	p := autoconfigtest.NewProxy(s)
	defer p.Close()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		for _, value := range []any{s, []any{s}, s.Requests(), s.Requests()[0], &s.Requests()[0], p} {
			text := fmt.Sprintf(verb, value)
			if strings.Contains(text, key) || strings.Contains(text, fmt.Sprintf("%x", key)) || strings.Contains(text, "secret") {
				t.Errorf("%s of %T reveals a secret: %s", verb, value, text)
			}
		}
	}
}

func TestRequestsAreCopies(t *testing.T) {
	s := autoconfigtest.NewPipeServer(key)
	defer s.Close()
	connect(t, s.Client(), s.URL)
	want := s.Requests()
	got := s.Requests()[0]
	got.Header.Set("Accept", "changed")
	got.Query["rpacProtocolVersion"][0] = "changed"
	// DeepEqual calls no methods; Format would hide differences.
	if !reflect.DeepEqual(s.Requests(), want) {
		t.Error("a request changed from outside")
	}
}

func TestContentIsACopy(t *testing.T) {
	s := autoconfigtest.NewPipeServer(key)
	defer s.Close()
	if got := s.Content(); got.Environments != nil {
		t.Errorf("before the first Put: %v", got)
	}
	s.Patch(environment("e0", 1)) // only sent
	expiry := int64(1)
	e := environment("e1", 1)
	e.SDKKeys = []decode.ConcurrentKeyRep[decode.SDKKey]{{Key: "k", Value: "v", Expiry: &expiry}}
	given := environments(e)
	s.Put(given)
	patch := environment("e3", 1)
	patch.SDKKeys = []decode.ConcurrentKeyRep[decode.SDKKey]{{Key: "k"}}
	s.Patch(patch)
	patch.SDKKeys[0].Key = "changed"
	want := s.Content()
	for _, content := range []decode.PutContent{given, s.Content()} {
		*content.Environments["e1"].SDKKeys[0].Expiry = 2
		content.Environments["e1"].SDKKeys[0].Key = "changed"
		content.Environments["e2"] = e
	}
	if diff := cmp.Diff(want, s.Content()); diff != "" || len(want.Environments) != 2 || *want.Environments["e1"].SDKKeys[0].Expiry != 1 || want.Environments["e3"].SDKKeys[0].Key != "k" {
		t.Errorf("content changed from outside:\n%s", diff)
	}
}
