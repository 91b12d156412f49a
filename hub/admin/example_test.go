package admin_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/hub/admin"
)

// A hub with its page, probes and metrics at the same address. On a loopback address anybody may look, under a name that
// leads nowhere else.
func ExampleNew() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	service := autoconfigtest.NewServer("rel-key")
	defer service.Close()
	service.Put(autoconfig.PutContent{})
	client, err := autoconfig.Open(ctx, "rel-key", &autoconfig.Options{BaseURI: service.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	h, err := hub.New(client, &hub.Options{Keys: []autoconfig.AutoConfigKey{"rel-key"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer h.Close()
	a, err := admin.New(client, h, nil) // or with a Token
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Close()
	mux := http.NewServeMux()
	mux.Handle("/relay_auto_config", h)
	mux.Handle("/", a)
	server := httptest.NewServer(mux)
	defer server.Close()

	for _, host := range []string{"localhost", "web-site.example"} {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		request.Host = host
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			fmt.Println(err)
			return
		}
		_ = response.Body.Close()
		fmt.Println(host, response.StatusCode)
	}
	// Output:
	// localhost 200
	// web-site.example 421
}
