// Command contractservice lets the SSE contract tests, https://github.com/launchdarkly/sse-contract-tests,
// test package sse.
//
//	go run ./stream/sse/contractservice -address localhost:8000 &
//	sse-contract-tests --url http://localhost:8000 --stop-service-at-end
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net/http"
)

func main() {
	address := flag.String("address", "localhost:8000", "where to listen")
	flag.Parse()

	service := newService()
	server := &http.Server{Addr: *address, Handler: service}
	go func() {
		<-service.stopped
		_ = server.Shutdown(context.Background()) // the process ends in any case
	}()
	err := server.ListenAndServe()
	service.close()
	if !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}
