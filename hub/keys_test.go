package hub_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// ask requests the stream with a key, and returns the status. A stream stays open until ctx ends.
func ask(ctx context.Context, t *testing.T, server *httptest.Server, key string) (status int, body interface{ Close() error }) {
	t.Helper()
	r, err := request(server.URL, "")(ctx)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Authorization", key)
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Body
}

func TestSetKeys(t *testing.T) {
	srv := autoconfigtest.NewServer(testkit.Key)
	defer srv.Close()
	srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
	h, err := hub.New(testkit.Open(t, testkit.To(srv)), &hub.Options{Keys: []autoconfig.AutoConfigKey{testkit.Key}, Logger: testkit.Censored(t)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	defer h.Close()

	expect := func(statuses map[string]int) {
		t.Helper()
		for key, want := range statuses {
			status, body := ask(t.Context(), t, server, key)
			_ = body.Close()
			if status != want {
				t.Errorf("status %d, want %d", status, want)
			}
		}
	}
	status, open := ask(t.Context(), t, server, testkit.Key)
	defer open.Close()
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	for _, wrong := range [][]autoconfig.AutoConfigKey{nil, {""}, {"new", "not\nvalid"}} {
		var option *autoconfig.OptionError
		if err := h.SetKeys(wrong); !errors.As(err, &option) || option.Option != "Keys" {
			t.Errorf("%d keys, of which one is wrong: %v", len(wrong), err)
		}
	}
	expect(map[string]int{testkit.Key: 200, "new": 401})
	if err := h.SetKeys([]autoconfig.AutoConfigKey{"new", "newer"}); err != nil {
		t.Fatal(err)
	}
	expect(map[string]int{"new": 200, "newer": 200, testkit.Key: 401})
	if n := h.Stats().Readers; n == 0 {
		t.Error("the stream that was open has ended")
	}
}
