package connkey_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/relaystream/autoconfig/internal/connkey"
)

func TestKeysOfAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connkey.New()
		r.Opened() // without an attempt it means nothing
		first := make(chan string)
		go func() {
			key, _ := r.First(t.Context())
			first <- key
		}()
		synctest.Wait()
		for _, step := range []struct {
			attempt, current string
			opened           bool
		}{
			{attempt: "one"}, {attempt: "two", opened: true, current: "two"}, {attempt: "three", current: "two"},
		} {
			r.Attempt(step.attempt)
			if step.opened {
				r.Opened()
			}
			if got := r.Current(); got != step.current {
				t.Errorf("after the attempt with %q the current key is %q, want %q", step.attempt, got, step.current)
			}
		}
		if got := <-first; got != "one" {
			t.Errorf("the first key is %q", got)
		}
		if text := fmt.Sprintf("%v %+v %#v", r, r, r); strings.Contains(text, "two") {
			t.Errorf("formatting shows a key: %s", text)
		}
	})
}

func TestFirstEndsWithItsContext(t *testing.T) {
	ended := errors.New("ended")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(ended)
	if _, err := connkey.New().First(ctx); !errors.Is(err, ended) {
		t.Errorf("First returned %v", err)
	}
}
