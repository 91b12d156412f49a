package decode

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// A countdown is a context that ends at the n-th call of Err.
type countdown struct {
	context.Context
	n      int
	checks int
	end    context.CancelCauseFunc
}

var errEnded = errors.New("ended")

func newCountdown(t *testing.T, n int) *countdown {
	ctx, cancel := context.WithCancelCause(t.Context())
	return &countdown{Context: ctx, n: n, end: cancel}
}

func (c *countdown) Err() error {
	if c.checks++; c.checks == c.n {
		c.end(errEnded)
	}
	return c.Context.Err()
}

// large returns events of about size bytes. Each consists mostly of one construct, so that a missing check of the
// context shows.
func large(size int) map[string]sse.Event {
	repeat := func(s string) string { return strings.Repeat(s, size/len(s)) }
	list := func(s string) string { return strings.TrimSuffix(repeat(s+","), ",") }
	put := func(members string) sse.Event {
		return sse.Event{Type: PutEvent, Data: []byte(`{"path":"/","data":{` + members + `}}`)}
	}
	patch := func(members string) sse.Event {
		return sse.Event{Type: PatchEvent, Data: []byte(`{"path":"/environments/e1","data":{"envID":"e1","sdkKey":{"value":"k"},` + members + `}}`)}
	}
	environment := `"e1":` + plainEnvironment
	events := map[string]sse.Event{
		"environments":            put(`"environments":{` + list(environment) + `}`),
		"unusual environments":    put(`"environments":{` + list(`"e1":`+string(unusual([]byte(plainEnvironment)))) + `}`),
		"one unusual member":      put(`"environments":{` + list(`"e1":{"x":1,`+plainEnvironment[1:]) + `}`),
		"wrong IDs":               put(`"environments":{` + list(`"e2":`+plainEnvironment) + `}`),
		"too many":                put(`"environments":{` + list(`"e":{}`) + `}`),
		"malformed at the end":    put(`"environments":{` + list(environment) + `,}`),
		"members with duplicates": put(list(`"environments":{` + environment + `}`)),
		"filters":                 put(`"environments":{},"filters":{` + list(`"f":{"projKey":"p","key":"k","version":1}`) + `}`),
		"wrong filters":           put(`"environments":{},"filters":{` + list(`"f":["projKey"]`) + `}`),
		"white space":             put(`"environments":{` + repeat(" ") + `}`),
		"unknown string":          put(`"environments":{},"x":"` + repeat("x") + `"`),
		"unknown escapes":         put(`"environments":{},"x":"` + repeat(`\n`) + `"`),
		"unknown number":          put(`"environments":{},"x":` + repeat("1")),
		"unknown array":           put(`"environments":{},"x":[` + list("1") + `]`),
		"unknown literals":        put(`"environments":{},"x":[` + list("null") + `]`),
		"unknown members":         put(`"environments":{},"x":{` + list(`"":{}`) + `}`),
		"unknown name":            put(`"environments":{},"` + repeat("x") + `":1`),
		"unknown strings":         put(`"environments":{},"x":[` + list(`""`) + `]`),
		"keys":                    patch(`"sdkKeys":[` + list(`{"key":"a","value":"k"}`) + `]`),
		"keys of another ID":      {Type: PatchEvent, Data: []byte(`{"path":"/environments/e2","data":{"sdkKeys":[` + list(`{"key":"a","value":"k"}`) + `]}}`)},
		"unusual keys":            patch(`"sdkKeys":[` + list(`{"value":"k"}`) + `]`),
		"null keys":               patch(`"sdkKeys":[` + list(`null`) + `]`),
		"name of other letters":   patch(`"envName":"` + repeat("ü") + `"`),
		"name with escapes":       patch(`"envName":"` + repeat(`\u00fc`) + `"`),
		"invalid name":            patch(`"envName":"` + repeat("\xff") + `"`),
		"number":                  patch(`"version":` + repeat("1")),
		"other path":              {Type: PatchEvent, Data: []byte(`{"data":[` + list("1") + `],"path":"x"}`)},
		"white space at the end":  {Type: PutEvent, Data: []byte(`{"path":"/","data":{"environments":{}}}` + repeat(" "))},
		"delete":                  {Type: DeleteEvent, Data: []byte(`{"version":1,"x":[` + list("1") + `],"path":"/environments/e1"}`)},
	}
	return events
}

// just is stream.Just without a check of the context.
func just(event sse.Event) stream.Observable[sse.Event] {
	return func(_ context.Context, yield func(sse.Event) bool) error {
		yield(event)
		return nil
	}
}

// TestContextIsChecked decodes large events of every form and counts the checks of the context.
func TestContextIsChecked(t *testing.T) {
	const size = 8 * checkEvery
	for name, event := range large(size) {
		ctx := newCountdown(t, -1)
		_ = Messages(just(event), nil)(ctx, func(Message) bool { return true })
		if ctx.checks < size/checkEvery/2 {
			t.Errorf("%s: %d checks in %d KiB", name, ctx.checks, size>>10)
		}
	}
}

// TestDecodingStopsWithItsContext ends the context at every check in turn: no other check and no message may follow.
func TestDecodingStopsWithItsContext(t *testing.T) {
	for name, event := range large(2 * checkEvery) {
		for n := 1; ; n++ {
			ctx := newCountdown(t, n)
			passed := false
			err := Messages(just(event), nil)(ctx, func(m Message) bool { passed = true; return true })
			if ctx.Context.Err() == nil {
				break // decoding has fewer checks
			}
			if err != errEnded || passed || ctx.checks > n+1 { // context.Cause calls Err, too
				t.Errorf("%s: %v, passed on: %t, %d checks after the end", name, err, passed, ctx.checks-n)
			}
		}
	}
}
