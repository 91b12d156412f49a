package parts

import (
	"context"
	"sync"

	"github.com/reactivex/rxgo/v2"
	"github.com/relaystream/autoconfig/stream"
	"github.com/samber/ro"
)

// A Multicast passes the numbers below items to every one of the subscribers, losing none.
type Multicast struct {
	Name  string
	About string
	// Start subscribes. The function that it returns publishes, and returns the sum of all that was
	// received when the last subscriber has received the last number.
	Start func(subscribers, items int) (publish func() int)
}

// waiting is how many items may wait for a subscriber.
const waiting = 256

// Multicasts returns the ways, the usual one first.
func Multicasts() []Multicast {
	return []Multicast{
		{"channels", "a Go channel of 256 and a goroutine per subscriber", channels},
		{"rxgo", "ReactiveX/RxGo v2 WithPublishStrategy, channels of 256", rxPublish},
		{"ro", "samber/ro PublishSubject, which calls the subscribers in turn: no goroutines, no buffer", roPublish},
		{"ours", "stream.Subject with Block(256) and a goroutine per subscriber", subject},
	}
}

// A tally sums what subscribers on goroutines of their own receive.
type tally struct {
	wait sync.WaitGroup
	sums []int
}

// start runs subscribers, each of which passes what it receives on to receive.
func (t *tally) start(subscribers int, subscriber func(i int, receive func(int))) {
	t.sums = make([]int, subscribers)
	for i := range subscribers {
		t.wait.Go(func() {
			sum := 0
			subscriber(i, func(v int) { sum += v })
			t.sums[i] = sum
		})
	}
}

func (t *tally) total() int {
	t.wait.Wait()
	total := 0
	for _, sum := range t.sums {
		total += sum
	}
	return total
}

func channels(subscribers, items int) func() int {
	subscribed := make([]chan int, subscribers)
	for i := range subscribed {
		subscribed[i] = make(chan int, waiting)
	}
	var t tally
	t.start(subscribers, func(i int, receive func(int)) {
		for v := range subscribed[i] {
			receive(v)
		}
	})
	return func() int {
		for v := range items {
			for _, c := range subscribed {
				c <- v
			}
		}
		for _, c := range subscribed {
			close(c)
		}
		return t.total()
	}
}

func rxPublish(subscribers, items int) func() int {
	source := make(chan rxgo.Item, waiting)
	observable := rxgo.FromChannel(source, rxgo.WithPublishStrategy(), rxgo.WithBufferedChannel(waiting))
	subscribed := make([]<-chan rxgo.Item, subscribers)
	for i := range subscribed {
		subscribed[i] = observable.Observe()
	}
	var t tally
	t.start(subscribers, func(i int, receive func(int)) {
		for item := range subscribed[i] {
			receive(item.V.(int))
		}
	})
	return func() int {
		_, dispose := observable.Connect(context.Background())
		defer dispose()
		for v := range items {
			source <- rxgo.Of(v)
		}
		close(source)
		return t.total()
	}
}

func roPublish(subscribers, items int) func() int {
	subject := ro.NewPublishSubject[int]()
	sums := make([]int, subscribers)
	for i := range sums {
		subject.Subscribe(ro.OnNext(func(v int) { sums[i] += v }))
	}
	return func() int {
		for v := range items {
			subject.Next(v)
		}
		subject.Complete()
		total := 0
		for _, sum := range sums {
			total += sum
		}
		return total
	}
}

func subject(subscribers, items int) func() int {
	ctx := context.Background()
	subject := stream.NewSubject[int]()
	var subscribed sync.WaitGroup
	subscribed.Add(subscribers)
	observable := subject.Observe(stream.Block[int](waiting), func() []int {
		subscribed.Done()
		return nil
	})
	var t tally
	t.start(subscribers, func(_ int, receive func(int)) {
		// It completes when the subject is closed.
		_ = observable(ctx, func(v int) bool {
			receive(v)
			return true
		})
	})
	subscribed.Wait()
	return func() int {
		for v := range items {
			_ = subject.Publish(ctx, v) // fails only after Close
		}
		subject.Close(nil)
		return t.total()
	}
}
