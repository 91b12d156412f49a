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

// Pipelines returns the libraries of operators, the usual one first.
func Pipelines() []Operators {
	return []Operators{
		{"rxgo", "ReactiveX/RxGo v2, channels of 256", rxOperators},
		{"ro", "samber/ro", roOperators},
		{"ours", "stream", ourOperators},
	}
}

// The five stages. The filters let most pass, so that every stage has work.
func addOne(x int64) int64   { return x + 1 }
func notTenth(x int64) bool  { return x%10 != 0 }
func double(x int64) int64   { return 2 * x }
func notEighth(x int64) bool { return x%8 != 0 }
func add(sum, x int64) int64 { return sum + x }

func rxOperators(n int64) (int64, error) {
	buffer := rxgo.WithBufferedChannel(256)
	last := rxgo.
		Defer([]rxgo.Producer{func(_ context.Context, next chan<- rxgo.Item) {
			for i := range n {
				next <- rxgo.Of(i)
			}
		}}, buffer).
		Map(func(_ context.Context, x any) (any, error) { return addOne(x.(int64)), nil }, buffer).
		Filter(func(x any) bool { return notTenth(x.(int64)) }, buffer).
		Map(func(_ context.Context, x any) (any, error) { return double(x.(int64)), nil }, buffer).
		Filter(func(x any) bool { return notEighth(x.(int64)) }, buffer).
		Scan(func(_ context.Context, sum, x any) (any, error) {
			if sum == nil {
				return x, nil
			}
			return add(sum.(int64), x.(int64)), nil
		}, buffer)
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
