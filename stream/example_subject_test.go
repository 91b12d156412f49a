package stream_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

// A newcomer gets the state as it is, and then what changes.
func ExampleSubject_Observe() {
	ctx := context.Background()
	prices := map[string]int{"apple": 3}
	subject := stream.NewSubject[string]()
	set := func(name string, price int) error {
		return subject.Update(ctx, func(emit func(string)) {
			prices[name] = price
			emit(fmt.Sprintf("%s now costs %d", name, price))
		})
	}
	state := func() (lines []string) {
		for name, price := range prices {
			lines = append(lines, fmt.Sprintf("%s costs %d", name, price))
		}
		return lines
	}

	for line, err := range subject.Observe(stream.Block[string](16), state).All(ctx) {
		fmt.Println(line, err)
		if line == "apple costs 3" {
			_ = set("apple", 4)
			subject.Close(nil)
		}
	}
	// Output:
	// apple costs 3 <nil>
	// apple now costs 4 <nil>
}

// A subscriber that lags gets one value of each key, and loses nothing that adds up.
func ExampleCoalesce() {
	type deposit struct {
		account string
		amount  int
	}
	subject := stream.NewSubject[deposit]()
	perAccount := stream.Coalesce(2,
		func(d deposit) string { return d.account },
		func(older, newer deposit) (deposit, stream.Place) {
			older.amount += newer.amount
			if older.amount == 0 {
				return older, stream.Nowhere
			}
			return older, stream.AtOlder
		})

	busy, lagging := make(chan bool), make(chan bool)
	var subscriber sync.WaitGroup
	subscriber.Go(func() {
		ready := func() []deposit { return []deposit{{"opening", 0}} }
		_ = subject.Observe(perAccount, ready)(context.Background(), func(d deposit) bool {
			if d.account == "opening" {
				close(busy)
				<-lagging
			}
			fmt.Println(d.account, d.amount)
			return true
		})
	})
	<-busy
	_ = subject.Publish(context.Background(), deposit{"A", 5}, deposit{"B", 7}, deposit{"A", 10}, deposit{"B", -7})
	close(lagging)
	subject.Close(nil)
	subscriber.Wait()
	// Output:
	// opening 0
	// A 15
}

func ExampleMerge() {
	values, err := stream.Merge(stream.Just(1, 2), stream.Just(3, 4)).Collect(context.Background())
	fmt.Println(len(values), err)
	// Output: 4 <nil>
}

func ExampleZip() {
	pair := func(name string, n int) string { return fmt.Sprint(name, n) }
	o := stream.Zip(stream.Just("a", "b"), stream.Just(1, 2, 3), pair)
	fmt.Println(o.Collect(context.Background()))
	// Output: [a1 b2] <nil>
}

func ExampleMapParallel() {
	square := func(_ context.Context, n int) (int, error) { return n * n, nil }
	fmt.Println(stream.MapParallel(stream.Just(1, 2, 3), 2, square).Collect(context.Background()))
	// Output: [1 4 9] <nil>
}

// The inner observables of FlatMap overlap, here two at a time.
func ExampleFlatMap() {
	pages := func(book string) stream.Observable[string] { return stream.Just(book+"1", book+"2") }
	err := stream.FlatMap(stream.Just("a", "b", "c"), 2, pages).ForEach(context.Background(), func(page string) error {
		fmt.Println(page)
		return nil
	})
	fmt.Println(err)
	// Unordered output:
	// a1
	// a2
	// b1
	// b2
	// c1
	// c2
	// <nil>
}

// The first to do anything wins, and the others are stopped.
func ExampleRace() {
	mirror := stream.Just("from the mirror")
	fmt.Println(stream.Race(stream.Never[string](), mirror).Collect(context.Background()))
	// Output: [from the mirror] <nil>
}

// Values that come in quick succession count as one, and the last is not lost when the source ends.
func ExampleDebounce() {
	keystrokes := stream.Just("h", "he", "hel", "hell", "hello")
	fmt.Println(stream.Debounce(keystrokes, time.Minute).Collect(context.Background()))
	// Output: [hello] <nil>
}

// A source that says nothing for too long has failed, and can be replaced like one that has.
func ExampleTimeout() {
	silent := stream.Timeout(stream.StartWith(stream.Never[string](), "hello"), time.Millisecond)
	fmt.Println(silent.Collect(context.Background()))
	fmt.Println(stream.OnErrorResume(silent, stream.Just("anybody?")).Collect(context.Background()))
	// Output:
	// [hello] stream: timeout
	// [hello anybody?] <nil>
}
