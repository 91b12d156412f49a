package rx_test

import (
	"context"
	"testing"

	"github.com/reactivex/rxgo/v2"

	"github.com/relaystream/autoconfig/stream/rx"
)

// A message has about the size of a change: too large for an interface without an allocation.
type message struct {
	n int
	_ [5]uintptr
}

func messages(ctx context.Context, yield func(message) bool) error {
	for i := 0; yield(message{n: i}); i++ {
	}
	return nil
}

var buffers = []struct {
	name   string
	option rxgo.Option
}{
	{"unbuffered", rxgo.WithBufferedChannel(0)},
	{"buffer=256", rxgo.WithBufferedChannel(256)},
}

// hot makes one subscription of messages a hot observable.
func hot(in, buffer rxgo.Option) rxgo.Observable {
	return rxgo.FromEventSource(rx.ToRxGo(messages).Observe(in, buffer), in)
}

func BenchmarkToRxGo(b *testing.B) {
	for _, buffer := range buffers {
		observe := func(b *testing.B, source func(in rxgo.Option) rxgo.Observable) {
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			in := rxgo.WithContext(ctx)
			items := source(in).Observe(in, buffer.option)
			b.ReportAllocs()
			for b.Loop() {
				<-items
			}
		}
		b.Run("cold/"+buffer.name, func(b *testing.B) {
			observe(b, func(rxgo.Option) rxgo.Observable { return rx.ToRxGo(messages) })
		})
		b.Run("hot/"+buffer.name, func(b *testing.B) {
			observe(b, func(in rxgo.Option) rxgo.Observable { return hot(in, buffer.option) })
		})
	}
}

func BenchmarkFromRxGo(b *testing.B) {
	produce := func(ctx context.Context, next chan<- rxgo.Item) {
		for i := 0; rxgo.Of(message{n: i}).SendContext(ctx, next); i++ {
		}
	}
	for _, buffer := range buffers {
		subscribe := func(b *testing.B, o rxgo.Observable) {
			b.ReportAllocs()
			err := rx.FromRxGo[message](o, buffer.option)(b.Context(), func(message) bool { return b.Loop() })
			if err != nil {
				b.Fatal(err)
			}
		}
		b.Run("cold/"+buffer.name, func(b *testing.B) {
			subscribe(b, rxgo.Defer([]rxgo.Producer{produce}))
		})
		b.Run("hot/"+buffer.name, func(b *testing.B) {
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			subscribe(b, hot(rxgo.WithContext(ctx), buffer.option))
		})
	}
}
