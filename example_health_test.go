package autoconfig_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
)

// The probes of a pod. The readiness probe keeps requests away until there is a configuration to
// serve. The liveness probe has the pod restarted when the client has stopped working, and only after
// six hours for an outage that may not be its fault.
func ExampleClient_Readiness() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	srv := autoconfigtest.NewServer("rel-key")
	defer srv.Close()
	client, err := autoconfig.Open(ctx, "rel-key", &autoconfig.Options{BaseURI: srv.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	probe := func(check func() error) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			var health *autoconfig.HealthError
			if errors.As(check(), &health) {
				http.Error(w, health.Problem.String(), http.StatusServiceUnavailable)
				return
			}
			fmt.Fprintln(w, "ok")
		}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /readyz", probe(client.Readiness))
	mux.Handle("GET /healthz", probe(func() error { return client.Liveness(6 * time.Hour) }))

	show := func(when string) {
		for _, path := range []string{"/readyz", "/healthz"} {
			answer := httptest.NewRecorder()
			mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
			fmt.Print(when, " ", path, " ", answer.Code, " ", answer.Body)
		}
	}
	show("before the first configuration:")
	srv.Put(autoconfig.PutContent{})
	if err := client.Ready(ctx); err != nil {
		fmt.Println(err)
	}
	show("with a configuration:")
	srv.Close()
	show("during an outage:")
	client.Close()
	show("closed:")
	// Output:
	// before the first configuration: /readyz 503 no configuration
	// before the first configuration: /healthz 200 ok
	// with a configuration: /readyz 200 ok
	// with a configuration: /healthz 200 ok
	// during an outage: /readyz 200 ok
	// during an outage: /healthz 200 ok
	// closed: /readyz 503 ended
	// closed: /healthz 503 ended
}

// A monitor asks for more than a probe: that the configuration is current, with minutes of grace.
func ExampleClient_Liveness() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	srv := autoconfigtest.NewServer("rel-key")
	defer srv.Close()
	srv.Next(autoconfigtest.Status(http.StatusUnauthorized))
	client, err := autoconfig.Open(ctx, "rel-key", &autoconfig.Options{BaseURI: srv.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	for status := range client.Status().All(ctx) {
		if status.Err != nil {
			break
		}
	}

	const grace = 0 // minutes, outside of an example
	var health *autoconfig.HealthError
	if errors.As(client.Liveness(grace), &health) {
		fmt.Println(health.Problem, "-", health.Err)
	}
	// Output:
	// outdated - sse: status 401 Unauthorized
}
