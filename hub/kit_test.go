package hub_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream/sse"
)

// A front is a hub in a test. Its readers reach it through a server in memory, which brings proxies and faults.
type front struct {
	*hub.Hub
	client *autoconfig.Client
	server *autoconfigtest.Server
}

// manyRequests is how many requests may arrive at a front in one moment.
const manyRequests = 1100

// serve opens a client with upstream and serves its configuration on. With taken, the hub takes connections over.
// Middleware may be nil.
func serve(t *testing.T, upstream *autoconfig.Options, o hub.Options, taken bool, middleware autoconfigtest.Fault) *front {
	t.Helper()
	f := &front{client: testkit.Open(t, upstream), server: autoconfigtest.NewPipeServer(testkit.Key)}
	t.Cleanup(f.server.Close)
	if o.Keys == nil {
		o.Keys = []autoconfig.AutoConfigKey{testkit.Key}
	}
	if o.Logger == nil {
		o.Logger = testkit.Censored(t)
	}
	h, err := hub.New(f.client, &o)
	if err != nil {
		t.Fatal(err)
	}
	f.Hub = h
	t.Cleanup(h.Close)
	var carry autoconfigtest.Fault
	carry = func(http.Handler) http.Handler {
		f.server.Next(carry)
		return autoconfigtest.Chain(middleware)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if taken {
				w = w.(interface{ Unwrap() http.ResponseWriter }).Unwrap()
			}
			h.ServeHTTP(w, r)
		}))
	}
	f.server.Next(slices.Repeat([]autoconfigtest.Fault{carry}, manyRequests)...)
	return f
}

// bothWays runs f in virtual time, with a server and a hub for it that takes connections over, and with one that does not.
func bothWays(t *testing.T, o hub.Options, f func(t *testing.T, srv *autoconfigtest.Server, h *front)) {
	for name, taken := range map[string]bool{"taken over": true, "net/http": false} {
		t.Run(name, func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				f(t, srv, serve(t, testkit.To(srv), o, taken, nil))
			})
		})
	}
}

// request requests the stream as a reader of a protocol version does.
func request(base, version string) sse.RequestFunc {
	get := sse.Get(base + "/relay_auto_config" + version)
	return func(ctx context.Context) (*http.Request, error) {
		r, err := get(ctx)
		if err == nil {
			r.Header.Set("Authorization", testkit.Key)
		}
		return r, err
	}
}

// read follows one connection to the hub. Comments are events, too.
func (f *front) read(version string) *testkit.Watcher[sse.Event] {
	return testkit.Watch(sse.Connect(request(f.server.URL, version), &sse.ConnectOptions{Client: f.server.Client(), Comments: true}))
}

// lines returns the name and the data of each event.
func lines(events []sse.Event) (all []string) {
	for _, e := range events {
		all = append(all, e.Type+" "+string(e.Data))
	}
	return all
}

// status sends a request and returns the status, and the response with its body closed.
func (f *front) status(t *testing.T, change func(r *http.Request)) *http.Response {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := request(f.server.URL, "")(ctx)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	if change != nil {
		change(r)
	}
	response, err := f.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response
}

// memoryStore is an autoconfig.Cache.
type memoryStore struct {
	mu   sync.Mutex
	data []byte
}

func (s *memoryStore) Load(context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data, nil
}

func (s *memoryStore) Save(_ context.Context, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = slices.Clone(data)
	return nil
}
