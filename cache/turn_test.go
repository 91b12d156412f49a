package cache

import (
	"context"
	"errors"
	"runtime"
	"testing"
)

// TestTurnIsGivenBack by a call that was not begun, because its context had ended.
func TestTurnIsGivenBack(t *testing.T) {
	calls := make(turn, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 { // a select would take either way
		if err := calls.await(ctx); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if len(calls) > 0 {
		t.Error("nobody can have the next turn")
	}
}

// TestCallThatGoesNowhere: a Store that calls runtime.Goexit has failed, and holds up nobody.
func TestCallThatGoesNowhere(t *testing.T) {
	calls := make(turn, 1)
	for range 2 {
		_, err := calls.do(t.Context(), func(context.Context) ([]byte, error) {
			runtime.Goexit()
			return nil, nil
		})
		if err == nil {
			t.Error("a call that did not return has succeeded")
		}
	}
}
