package parts

import (
	"context"

	"github.com/reactivex/rxgo/v2"
	"github.com/relaystream/autoconfig/stream"
	"github.com/samber/ro"
)

// An Operators passes the numbers below n through Map, Filter, Map, Filter and Scan.
type Operators struct {
	Name  string
	About string
	// Run returns the last value of the Scan, a sum.
	Run func(n int64) (int64, error)
}

// Pipelines returns all libraries of operators, the usual one first, and two pipelines without a library.
func Pipelines() []Operators {
	return []Operators{
		{"rxgo", "ReactiveX/RxGo v2 as its documentation shows it", func(n int64) (int64, error) { return rxOperators(n) }},
		{"rxgo-256", "the same with channels of 256, its fastest", func(n int64) (int64, error) {
			return rxOperators(n, rxgo.WithBufferedChannel(256))
		}},
		{"ro", "samber/ro", roOperators},
		{"ours", "stream", ourOperators},
		{"closures", "no library: five closures, each with its work written into it, and an indirect call to the next", closures},
		{"loop", "no library: a loop", loop},
	}
}

// The five stages. The filters pass most numbers, so that every stage has work.
func addOne(x int64) int64   { return x + 1 }
func notTenth(x int64) bool  { return x%10 != 0 }
func double(x int64) int64   { return 2 * x }
func notEighth(x int64) bool { return x%8 != 0 }
func add(sum, x int64) int64 { return sum + x }

func rxOperators(n int64, options ...rxgo.Option) (int64, error) {
	last := rxgo.
		Defer([]rxgo.Producer{func(_ context.Context, next chan<- rxgo.Item) {
			for i := range n {
				next <- rxgo.Of(i)
			}
		}}, options...).
		Map(func(_ context.Context, x any) (any, error) { return addOne(x.(int64)), nil }, options...).
		Filter(func(x any) bool { return notTenth(x.(int64)) }, options...).
		Map(func(_ context.Context, x any) (any, error) { return double(x.(int64)), nil }, options...).
		Filter(func(x any) bool { return notEighth(x.(int64)) }, options...).
		Scan(func(_ context.Context, sum, x any) (any, error) {
			if sum == nil {
				return x, nil
			}
			return add(sum.(int64), x.(int64)), nil
		}, options...)
	var sum int64
	for item := range last.Observe() {
		if item.Error() {
			return 0, item.E
		}
		sum = item.V.(int64)
	}
	return sum, nil
}

func roOperators(n int64) (int64, error) {
	sums := ro.Pipe5(ro.Range(0, n),
		ro.Map(addOne), ro.Filter(notTenth), ro.Map(double), ro.Filter(notEighth), ro.Scan(add, int64(0)))
	var sum int64
	var failed error
	// The source is synchronous: Subscribe returns when it has completed.
	sums.Subscribe(ro.NewObserver(
		func(s int64) { sum = s },
		func(err error) { failed = err },
		func() {},
	))
	return sum, failed
}

func ourOperators(n int64) (int64, error) {
	numbers := stream.FromSeq(func(yield func(int64) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	})
	plusOne := stream.Filter(stream.Map(numbers, addOne), notTenth)
	doubled := stream.Filter(stream.Map(plusOne, double), notEighth)
	var sum int64
	err := stream.Scan(doubled, 0, add)(context.Background(), func(s int64) bool {
		sum = s
		return true
	})
	return sum, err
}

func closures(n int64) (int64, error) {
	var last int64
	stages := addingOne(droppingTenths(doubling(droppingEighths(summing(func(x int64) bool {
		last = x
		return true
	})))))
	for i := range n {
		if !stages(i) {
			break
		}
	}
	return last, nil
}

// A next is the rest of the stages. The functions that make one are not inlined, so the compiler can't
// combine the stages; it can in the loop below.
type next = func(int64) bool

//go:noinline
func addingOne(yield next) next { return func(x int64) bool { return yield(addOne(x)) } }

//go:noinline
func droppingTenths(yield next) next { return func(x int64) bool { return !notTenth(x) || yield(x) } }

//go:noinline
func doubling(yield next) next { return func(x int64) bool { return yield(double(x)) } }

//go:noinline
func droppingEighths(yield next) next { return func(x int64) bool { return !notEighth(x) || yield(x) } }

//go:noinline
func summing(yield next) next {
	sum := int64(0)
	return func(x int64) bool {
		sum = add(sum, x)
		return yield(sum)
	}
}

func loop(n int64) (int64, error) {
	sum := int64(0)
	for i := range n {
		if x := addOne(i); notTenth(x) {
			if x = double(x); notEighth(x) {
				sum = add(sum, x)
			}
		}
	}
	return sum, nil
}
