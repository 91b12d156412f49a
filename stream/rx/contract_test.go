package rx_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/reactivex/rxgo/v2"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/rx"
	"github.com/relaystream/autoconfig/stream/streamtest"
)

// Observables of FromRxGo keep the contract of package stream, whichever way RxGo ends or doesn't.
func TestContract(t *testing.T) {
	failing := stream.Concat(stream.Just(1, 2, 3), stream.Fail[int](errEnd))
	waiting := stream.Concat(stream.Just(1, 2, 3), stream.Never[int]())
	there := func(o stream.Observable[int]) rxgo.Observable { return rx.ToRxGo(o) }
	identity := func(_ context.Context, v any) (any, error) { return v, nil }
	for name, test := range map[string]struct {
		o       rxgo.Observable
		options streamtest.Options
	}{
		"completes":                 {there(stream.Just(1, 2, 3)), streamtest.Options{}},
		"fails":                     {there(failing), streamtest.Options{Err: errEnd}},
		"waits":                     {there(waiting), streamtest.Options{Endless: true}},
		"waits behind an operator":  {there(waiting).Map(identity), streamtest.Options{Endless: true}},
		"an operator stops reading": {there(waiting).TakeUntil(func(v any) bool { return v == 3 }), streamtest.Options{}},
		"an operator with a pool":   {there(failing).Map(identity, rxgo.WithPool(1)), streamtest.Options{Err: errEnd}},
		"items without the bridge":  {rxgo.Just(1, 2, 3)(), streamtest.Options{}},
		"channel left open":         {rxgo.Range(1, 3), streamtest.Options{}},
	} {
		for _, capacity := range []int{0, 8} { // with 8, items are there when the context ends
			t.Run(fmt.Sprintf("%s, buffer %d", name, capacity), func(t *testing.T) {
				o := rx.FromRxGo[int](test.o, rxgo.WithBufferedChannel(capacity))
				streamtest.Test(t, func() stream.Observable[int] { return o }, []int{1, 2, 3}, &test.options)
			})
		}
	}
}
