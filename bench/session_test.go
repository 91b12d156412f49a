package main

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/relaystream/autoconfig/bench/peers"
	"github.com/relaystream/autoconfig/bench/synth"
)

// A peer that loses what it was sent is reported and does not block the benchmark.
func TestPeerThatLosesEverything(t *testing.T) {
	f, err := within(synth.Config{Environments: 2}, load{flush: 1}, func(w *world) ([]trial, error) {
		w.patience = 10 * time.Millisecond
		put, err := w.put()
		return []trial{{run: func(ctx context.Context) (sample, error) {
			s, err := connect(ctx, w, peers.Peer{Level: peers.Changes, Run: deaf})
			if err != nil {
				return sample{}, err
			}
			_, err = s.play(put)
			return sample{}, errors.Join(err, s.end())
		}}}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	if _, err := f.trials[0].run(t.Context()); !errors.Is(err, errLost) {
		t.Errorf("the error is %v, want errLost", err)
	}
}

// deaf is a peer that connects and reads nothing.
func deaf(ctx context.Context, client *http.Client, url string, _ peers.Output) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return response.Body.Close()
}
