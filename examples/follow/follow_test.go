package main

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestFollow: it prints changes until its context ends, and returns what main does not take for a failure.
func TestFollow(t *testing.T) {
	srv := autoconfigtest.NewServer("key")
	defer srv.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	srv.Put(autoconfig.PutContent{})
	go func() {
		_ = srv.AwaitConnections(ctx, 1)
		cancel()
	}()
	if err := follow(ctx, "key", &autoconfig.Options{BaseURI: srv.URL}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

// TestFollowFails: what ends the stream is the error.
func TestFollowFails(t *testing.T) {
	srv := autoconfigtest.NewServer("key")
	defer srv.Close()
	srv.Next(autoconfigtest.Status(http.StatusNoContent))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := follow(ctx, "key", &autoconfig.Options{BaseURI: srv.URL}); err == nil || ctx.Err() != nil {
		t.Errorf("error %v, %v", err, ctx.Err())
	}
	if err := follow(ctx, "", nil); !errors.Is(err, autoconfig.ErrInvalidKey) {
		t.Errorf("error %v, want %v", err, autoconfig.ErrInvalidKey)
	}
}
