package autoconfig_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// The functions of RECIPES.md, each with an example that calls it.

func writeChanges(ctx context.Context, changes stream.Observable[autoconfig.Change], w io.Writer) error {
	encoder := json.NewEncoder(w)
	return changes.ForEach(ctx, func(c autoconfig.Change) error { return encoder.Encode(c) })
}

func requireKey(client *autoconfig.Client, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := autoconfig.Key{SDKKey: autoconfig.SDKKey(r.Header.Get("Authorization"))}
		if client.EnvironmentByKey(key) == nil {
			http.Error(w, "unknown SDK key", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func openCached(
	ctx context.Context, key autoconfig.AutoConfigKey, uri string, cache autoconfig.Cache, wait time.Duration,
) (*autoconfig.Client, error) {
	client, err := autoconfig.Open(ctx, key, &autoconfig.Options{BaseURI: uri, Cache: cache})
	if err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if err := client.Ready(waiting); err != nil {
		client.Close()
		return nil, err
	}
	return client, nil
}

func alertDeleted(ctx context.Context, changes stream.Observable[autoconfig.Change], alert func(string)) error {
	deleted := stream.Filter(changes, func(c autoconfig.Change) bool { return c.Kind == autoconfig.EnvironmentDeleted })
	return deleted.ForEach(ctx, func(c autoconfig.Change) error {
		alert(c.Old.ProjName + " " + c.Old.EnvName + " was deleted")
		return nil
	})
}

func rebuildOnChange(ctx context.Context, client *autoconfig.Client, rebuild func(autoconfig.Snapshot) error) error {
	due := stream.ThrottleLatest(client.Changes(), time.Second)
	return due.ForEach(ctx, func(autoconfig.Change) error { return rebuild(client.Snapshot()) })
}

func chat(ctx context.Context, uri string, question []byte, w io.Writer) error {
	request := sse.Send(http.MethodPost, uri, question).
		With("Content-Type", "application/json").
		With("Authorization", "Bearer key")
	answer := sse.Connect(request, &sse.ConnectOptions{ConnectTimeout: 2 * time.Minute}) // models think
	for event, err := range answer.All(ctx) {
		if errors.Is(err, sse.ErrEndOfStream) || string(event.Data) == "[DONE]" {
			return nil // the answer is complete
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\n", event.Data)
	}
	return nil
}

func recording(text string) stream.Observable[decode.Message] {
	events := stream.Defer(func() stream.Observable[sse.Event] {
		return stream.FromSeq2(sse.Scan(strings.NewReader(text), nil))
	})
	return stream.Concat(decode.Messages(events, nil), stream.Never[decode.Message]())
}

// play returns the changes of a client whose server deletes its only environment once the client is synced.
// They complete after that.
func play(ctx context.Context) (changes stream.Observable[autoconfig.Change], end func()) {
	srv, client := serveRecipe(ctx)
	changes = stream.Tap(client.Changes(), func(c autoconfig.Change) {
		switch c.Kind {
		case autoconfig.Synced:
			srv.Delete("e1", 2)
		case autoconfig.EnvironmentDeleted:
			client.Close()
		}
	})
	return changes, func() {
		client.Close()
		srv.Close()
	}
}

// serveRecipe returns a server of one environment and a client that is ready.
func serveRecipe(ctx context.Context) (*autoconfigtest.Server, *autoconfig.Client) {
	srv := serve("rel-key")
	client, err := openCached(ctx, "rel-key", srv.URL, nil, time.Minute)
	if err != nil {
		panic(err)
	}
	return srv, client
}

func Example_changesAsJSON() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	changes, end := play(ctx)
	defer end()
	if err := writeChanges(ctx, changes, os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"kind":"environment added","new":{"envID":"e1","envKey":"","envName":"Production","projKey":"","projName":"Shop","version":1,"keys":[{"sdkKey":"***1234"}]}}
	// {"kind":"synced"}
	// {"kind":"environment deleted","version":2,"old":{"envID":"e1","envKey":"","envName":"Production","projKey":"","projName":"Shop","version":1,"keys":[{"sdkKey":"***1234"}]}}
}

func Example_requireKey() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	srv, client := serveRecipe(ctx)
	defer srv.Close()
	defer client.Close()

	handler := requireKey(client, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "welcome") }))
	for _, key := range []string{"sdk-00000000-1234", "sdk-00000000-9999", ""} {
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		request.Header.Set("Authorization", key)
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		fmt.Print(answer.Code, " ", answer.Body)
	}
	// Output:
	// 200 welcome
	// 401 unknown SDK key
	// 401 unknown SDK key
}

// A memory is a Cache that no disk makes slow.
type memory struct{ data []byte }

func (m *memory) Load(context.Context) ([]byte, error) {
	if m.data == nil {
		return nil, fs.ErrNotExist
	}
	return m.data, nil
}

func (m *memory) Save(_ context.Context, data []byte) error {
	m.data = data
	return nil
}

func Example_cachedStart() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	srv := serve("rel-key")
	defer srv.Close()

	var cache memory
	for range 2 {
		client, err := openCached(ctx, "rel-key", srv.URL, &cache, time.Minute)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(client.Snapshot())
		client.Close()
		srv.Stop() // the second client finds no server
	}
	// Output:
	// 1 environments, 0 filters, synced
	// 1 environments, 0 filters, cached
}

func Example_recording() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	source := recording(`event: put
data: {"path":"/","data":{"environments":{"e1":{"envID":"e1","envName":"Production","projName":"Shop","version":1}}}}

event: delete
data: {"path":"/environments/e1","version":2}

`)
	changes := autoconfig.Observe("", &autoconfig.Options{Source: source})
	for change, err := range stream.Take(changes, 3).All(ctx) {
		fmt.Println(change, err)
	}
	// Output:
	// environment added: e1 (Shop Production) version 1 <nil>
	// synced <nil>
	// environment deleted: e1 (Shop Production) version 1 <nil>
}

func Example_alertOnDeletion() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	changes, end := play(ctx)
	defer end()
	if err := alertDeleted(ctx, changes, func(text string) { fmt.Println(text) }); err != nil {
		fmt.Println(err)
	}
	// Output: Shop Production was deleted
}

func Example_chat() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refused" {
			http.Error(w, "no credit", http.StatusPaymentRequired)
			return
		}
		question, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "data: %s\n\ndata: {\"text\":\"hello\"}\n\n", question)
		if r.URL.Path == "/done" {
			fmt.Fprint(w, "data: [DONE]\n\n")
		}
	}))
	defer server.Close()

	for _, path := range []string{"/", "/done", "/refused"} {
		fmt.Println(path, chat(ctx, server.URL+path, []byte(`{"prompt":"hello"}`), os.Stdout))
	}
	// Output:
	// {"prompt":"hello"}
	// {"text":"hello"}
	// / <nil>
	// {"prompt":"hello"}
	// {"text":"hello"}
	// /done <nil>
	// /refused sse: status 402 Payment Required
}

// TestRebuildOnChange: the first change leads to a call at once, those of the next second to one call, and the last
// before the client is closed to one, too.
func TestRebuildOnChange(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		client := testkit.Open(t, testkit.To(srv))
		var mu sync.Mutex
		var versions []int // guarded by mu
		done := make(chan error, 1)
		go func() {
			done <- rebuildOnChange(t.Context(), client, func(s autoconfig.Snapshot) error {
				mu.Lock()
				defer mu.Unlock()
				versions = append(versions, s.Environments[0].Version)
				return nil
			})
		}()
		srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
		expect := func(want string) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			testkit.Expect(t, "versions", []string{fmt.Sprint(versions)}, want)
		}
		expect("[1]")
		for version := 2; version < 6; version++ {
			srv.Patch(testkit.Environment("e1", version))
		}
		expect("[1]")
		testkit.Pass(time.Second)
		expect("[1 5]")
		srv.Patch(testkit.Environment("e1", 6))
		expect("[1 5]")
		client.Close()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		expect("[1 5 6]")
	})
}
