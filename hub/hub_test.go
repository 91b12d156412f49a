package hub_test

import (
	"net/http/httptest"
	"testing"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/internal/testkit"
)

func TestSmoke(t *testing.T) {
	srv := autoconfigtest.NewServer(testkit.Key)
	defer srv.Close()
	srv.Put(testkit.Listing(testkit.Environment("a", 1), testkit.Environment("b", 1)))
	client := testkit.Open(t, testkit.To(srv))
	h, err := hub.New(client, &hub.Options{Keys: []autoconfig.AutoConfigKey{testkit.Key}, Logger: testkit.Censored(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	front := httptest.NewServer(h)
	defer front.Close()
	defer h.Close()
	down := testkit.Open(t, &autoconfig.Options{BaseURI: front.URL})
	w := testkit.Watch(down.Changes())
	t.Log(testkit.Describe(w.Await(t, 3)))
	srv.Patch(testkit.Environment("a", 2))
	srv.Delete("b", 2)
	t.Log(testkit.Describe(w.Await(t, 2)))
	t.Logf("%+v %+v", h.Readers(), h.Stats())
	srv.Put(testkit.Listing(testkit.Environment("c", 1)))
	t.Log(testkit.Describe(w.Await(t, 3)))
	w.Stop()
}
