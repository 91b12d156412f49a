package upstream_test

import (
	"context"
	"errors"
	"testing"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/internal/upstream"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
	"github.com/relaystream/autoconfig/stream/streamtest"
)

func begin(context.Context) (decode.AutoConfigKey, error) { return "", nil }

func TestSourceConforms(t *testing.T) {
	messages := []decode.Message{{Kind: decode.Put}, {Kind: decode.Omit}, {Kind: decode.Complete}}
	failure := errors.New("no network")
	for name, test := range map[string]struct {
		end stream.Observable[decode.Message]
		o   streamtest.Options
	}{
		"completes": {stream.Empty[decode.Message](), streamtest.Options{Err: sse.ErrEndOfStream}},
		"fails":     {stream.Fail[decode.Message](failure), streamtest.Options{Err: failure}},
		"waits":     {stream.Never[decode.Message](), streamtest.Options{Endless: true}},
	} {
		t.Run(name, func(t *testing.T) {
			streamtest.Test(t, func() stream.Observable[decode.Message] {
				return upstream.Source(stream.Concat(stream.FromSlice(messages), test.end), begin, func() {}, func(bool) {})
			}, messages, &test.o)
		})
	}
}

// TestSourceTells when it is open and when it passes a message on, also if the subscriber stops it or panics.
func TestSourceTells(t *testing.T) {
	for name, last := range map[string]func() bool{
		"stopped":  func() bool { return false },
		"panicked": func() bool { panic("expected") },
	} {
		t.Run(name, func(t *testing.T) {
			opened, passing := 0, false
			source := upstream.Source(stream.Just(make([]decode.Message, 3)...), begin, func() { opened++ }, func(on bool) { passing = on })
			n := 0
			func() {
				defer func() {
					if r := recover(); (r != nil) != (name == "panicked") {
						t.Errorf("recovered %v", r)
					}
				}()
				err := source(t.Context(), func(decode.Message) bool {
					if n++; opened != 1 || !passing {
						t.Errorf("at message %d it was opened %d times, and passing is %t", n, opened, passing)
					}
					return n < 2 || last()
				})
				if err != nil {
					t.Error(err)
				}
			}()
			if n != 2 || passing {
				t.Errorf("%d messages; passing is %t", n, passing)
			}
		})
	}
}

// TestSourceIsNotSubscribedTo if the attempt cannot begin, and that does not begin after the context has ended.
func TestSourceIsNotSubscribedTo(t *testing.T) {
	failure := errors.New("no key")
	fail := func(context.Context) (decode.AutoConfigKey, error) { return "", failure }
	never := func(context.Context, func(decode.Message) bool) error {
		t.Error("subscribed")
		return nil
	}
	source := upstream.Source(never, fail, nil, nil)
	if _, err := source.Count(t.Context()); !errors.Is(err, failure) {
		t.Error(err)
	}
	ended := errors.New("ended")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(ended)
	if _, err := source.Count(ctx); err != ended {
		t.Error(err)
	}
}
