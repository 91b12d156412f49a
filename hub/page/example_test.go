package page_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/hub/page"
)

// The page of a client without a hub, which anybody who reaches it may see; see package admin.
func ExampleNew() {
	client, err := autoconfig.Open(context.Background(), "rel-key", &autoconfig.Options{BaseURI: "http://127.0.0.1:1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	p, err := page.New(client, nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	answer := httptest.NewRecorder()
	p.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
	fmt.Println(answer.Code, answer.Header().Get("Content-Type"))
	// Output: 200 text/html; charset=utf-8
}
