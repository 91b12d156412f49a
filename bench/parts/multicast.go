package parts

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/reactivex/rxgo/v2"
	"github.com/relaystream/autoconfig/stream"
	"github.com/samber/ro"
)

// A Multicast passes the numbers below items to every subscriber, without loss.
type Multicast struct {
	Name  string
	About string
	// Start subscribes. publish publishes all numbers and returns when every subscriber has received
	// the last one. stop ends the subscribers, waits for them, and returns the sum of all numbers
	// that they received.
	Start func(subscribers, items int) (publish func(), stop func() int)
}

// waiting is the number of items that may wait for a subscriber.
const waiting = 256

// Multicasts returns all implementations, the usual one first.
func Multicasts() []Multicast {
	return []Multicast{
		{"channels", "a Go channel of 256 and a goroutine per subscriber", channels},
		{"rxgo", "ReactiveX/RxGo v2 WithPublishStrategy, channels of 256", rxPublish},
		{"ro", "samber/ro PublishSubject, which calls the subscribers in turn: no goroutines, no buffer", roPublish},
		{"ours", "stream.Subject with Block(256) and a goroutine per subscriber", subject},
		{"limit", "no library: a goroutine per subscriber is woken once for each 256 items, which all share", shared},
	}
}

// A tally sums the numbers that the subscribers receive.
type tally struct {
	last    int // the last number
	left    atomic.Int64
	arrived chan struct{} // closed when all subscribers have the last number
	sums    []int
	wait    sync.WaitGroup
}

func newTally(subscribers, items int) *tally {
	t := &tally{last: items - 1, arrived: make(chan struct{}), sums: make([]int, subscribers)}
	t.left.Store(int64(subscribers))
	return t
}

// receiver returns the function that takes the numbers of subscriber i.
func (t *tally) receiver(i int) func(int) {
	sum := 0
	return func(v int) {
		sum += v
		if v == t.last {
			t.sums[i] = sum
			if t.left.Add(-1) == 0 {
				close(t.arrived)
			}
		}
	}
}

// start runs each subscriber on a goroutine of its own.
func (t *tally) start(subscriber func(i int, receive func(int))) {
	for i := range t.sums {
		t.wait.Go(func() { subscriber(i, t.receiver(i)) })
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

func channels(subscribers, items int) (publish func(), stop func() int) {
	subscribed := make([]chan int, subscribers)
	for i := range subscribed {
		subscribed[i] = make(chan int, waiting)
	}
	t := newTally(subscribers, items)
	t.start(func(i int, receive func(int)) {
		for v := range subscribed[i] {
			receive(v)
		}
	})
	publish = func() {
		for v := range items {
			for _, c := range subscribed {
				c <- v
			}
		}
		<-t.arrived
	}
	return publish, func() int {
		for _, c := range subscribed {
			close(c)
		}
		return t.total()
	}
}

func rxPublish(subscribers, items int) (publish func(), stop func() int) {
	source := make(chan rxgo.Item, waiting)
	observable := rxgo.FromChannel(source, rxgo.WithPublishStrategy(), rxgo.WithBufferedChannel(waiting))
	subscribed := make([]<-chan rxgo.Item, subscribers)
	for i := range subscribed {
		subscribed[i] = observable.Observe()
	}
	t := newTally(subscribers, items)
	t.start(func(i int, receive func(int)) {
		for item := range subscribed[i] {
			receive(item.V.(int))
		}
	})
	_, dispose := observable.Connect(context.Background())
	publish = func() {
		for v := range items {
			source <- rxgo.Of(v)
		}
		<-t.arrived
	}
	return publish, func() int {
		defer dispose()
		close(source)
		return t.total()
	}
}

func roPublish(subscribers, items int) (publish func(), stop func() int) {
	subject := ro.NewPublishSubject[int]()
	t := newTally(subscribers, items)
	for i := range subscribers {
		subject.Subscribe(ro.OnNext(t.receiver(i)))
	}
	publish = func() {
		for v := range items {
			subject.Next(v)
		}
	}
	return publish, func() int {
		subject.Complete()
		return t.total()
	}
}

func subject(subscribers, items int) (publish func(), stop func() int) {
	ctx, cancel := context.WithCancel(context.Background())
	subject := stream.NewSubject[int]()
	var subscribed sync.WaitGroup
	subscribed.Add(subscribers)
	observable := subject.Observe(stream.Block[int](waiting), func() []int {
		subscribed.Done()
		return nil
	})
	t := newTally(subscribers, items)
	t.start(func(_ int, receive func(int)) {
		// It completes when the subject is closed.
		_ = observable(ctx, func(v int) bool {
			receive(v)
			return true
		})
	})
	subscribed.Wait()
	publish = func() {
		for v := range items {
			_ = subject.Publish(ctx, v) // fails only after Close
		}
		<-t.arrived
	}
	return publish, func() int {
		defer cancel()
		subject.Close(nil)
		return t.total()
	}
}

// shared is multicast without slow, leaving or late subscribers. What remains is waking goroutines.
func shared(subscribers, items int) (publish func(), stop func() int) {
	var batch []int // owned by publish, or by the subscribers while some are busy
	var busy sync.WaitGroup
	woken := make([]chan struct{}, subscribers)
	for i := range woken {
		woken[i] = make(chan struct{}, 1)
	}
	t := newTally(subscribers, items)
	t.start(func(i int, receive func(int)) {
		for range woken[i] {
			for _, v := range batch {
				receive(v)
			}
			busy.Done()
		}
	})
	publish = func() {
		for v := 0; v < items; {
			for batch = batch[:0]; v < items && len(batch) < waiting; v++ {
				batch = append(batch, v)
			}
			busy.Add(subscribers)
			for _, c := range woken {
				c <- struct{}{}
			}
			busy.Wait()
		}
	}
	return publish, func() int {
		for _, c := range woken {
			close(c)
		}
		return t.total()
	}
}
