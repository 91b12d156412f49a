package stream_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/stream"
)

// A move is a change of an account. Moves of one account add up.
type move struct{ id, account, amount, count int }

const accounts = 5

func mergeMoves(older, newer move) (move, stream.Place) {
	older.amount += newer.amount
	older.count += newer.count
	older.id = newer.id
	return older, stream.AtOlder
}

func movePolicy(name string, n int) stream.Policy[move] {
	switch name {
	case "DropOldest":
		return stream.DropOldest[move](n)
	case "DropNewest":
		return stream.DropNewest[move](n)
	case "FailSlow":
		return stream.FailSlow[move](n)
	case "Coalesce":
		return stream.Coalesce(n, func(m move) int { return m.account }, mergeMoves)
	case "Bursting":
		return stream.Coalesce(n, func(m move) int {
			burst(m.id, 17)
			return m.account
		}, func(older, newer move) (move, stream.Place) {
			burst(newer.id, 19)
			return mergeMoves(older, newer)
		})
	default:
		return stream.Block[move](n)
	}
}

// burst does not return for every nth id: it panics, or exits.
func burst(id, n int) {
	switch {
	case id%(4*n) == 0:
		runtime.Goexit()
	case id%n == 0:
		panic(errBoom)
	}
}

// A guest is one subscriber in a storm: when it comes, how fast it is, and how it goes.
type guest struct {
	Policy string
	Limit  int
	Wait   int // Gosched before it subscribes
	Slow   int // Gosched for each value
	Leave  string
	At     int // the value at which it leaves, counted from 1
}

// A party is one of several that publish at the same time.
type party struct {
	Values, Burst int
	Hold          bool // around each burst
	Temper        int  // it panics, or exits, at every so many values, unless 0
}

type storm struct {
	Guests  []guest
	Parties []party
	Err     error
}

var drawnStorm = rapid.Custom(func(t *rapid.T) storm {
	g := rapid.Custom(func(t *rapid.T) guest {
		return guest{
			Policy: rapid.SampledFrom([]string{"Block", "Block", "DropOldest", "DropNewest", "FailSlow", "Coalesce", "Bursting"}).Draw(t, "policy"),
			Limit:  rapid.OneOf(rapid.IntRange(1, 4), rapid.IntRange(1, 300)).Draw(t, "limit"),
			Wait:   rapid.OneOf(rapid.Just(0), rapid.IntRange(0, 200)).Draw(t, "wait"),
			Slow:   rapid.OneOf(rapid.Just(0), rapid.IntRange(0, 5)).Draw(t, "slow"),
			Leave:  rapid.SampledFrom([]string{"", "", "", "stop", "cancel", "cancelled", "panic", "exit"}).Draw(t, "leave"),
			At:     rapid.OneOf(rapid.IntRange(1, 3), rapid.IntRange(1, 500)).Draw(t, "at"),
		}
	})
	p := rapid.Custom(func(t *rapid.T) party {
		return party{
			Values: rapid.IntRange(0, 500).Draw(t, "values"),
			Burst:  rapid.OneOf(rapid.Just(1), rapid.IntRange(1, 100)).Draw(t, "burst"),
			Hold:   rapid.Bool().Draw(t, "hold"),
			Temper: rapid.SampledFrom([]int{0, 0, 7, 100}).Draw(t, "temper"),
		}
	})
	crowd := rapid.SampledFrom([]int{1, 3, 10, 100}).Draw(t, "crowd")
	s := storm{
		Guests:  rapid.SliceOfN(g, crowd, crowd).Draw(t, "guests"),
		Parties: rapid.SliceOfN(p, 1, 3).Draw(t, "parties"),
	}
	// One party at most may hold, because holding does not nest.
	for i := range s.Parties[1:] {
		s.Parties[i+1].Hold = false
	}
	if rapid.Bool().Draw(t, "fails") {
		s.Err = errBoom
	}
	return s
})

// A record is what became of a guest.
type record struct {
	joined int // how many moves there had been
	got    []move
	err    error
	gone   bool // not by the end of the sequence
}

// run lets everybody loose at once, and returns the history and a record for each guest.
func (s storm) run(ctx context.Context, subject *stream.Subject[move]) (history []move, records []record) {
	records = make([]record, len(s.Guests))
	var guests, parties sync.WaitGroup
	for i, g := range s.Guests {
		r := &records[i]
		guests.Go(func() {
			for range g.Wait {
				runtime.Gosched()
			}
			joined := func() []move {
				r.joined = len(history)
				return nil
			}
			g.attend(ctx, r, subject.Observe(movePolicy(g.Policy, g.Limit), joined))
		})
	}
	for _, p := range s.Parties {
		parties.Go(func() {
			for done := 0; done < p.Values; done += p.Burst {
				if p.Hold {
					subject.Hold()
				}
				for range p.Burst {
					survive(func() {
						_ = subject.Update(ctx, func(emit func(move)) {
							n := len(history) + 1
							history = append(history, move{id: n, account: n * n % accounts, amount: n, count: 1})
							emit(history[n-1])
							if p.Temper > 0 {
								burst(n, p.Temper)
							}
						})
					})
				}
				if p.Hold {
					subject.Release()
				}
				runtime.Gosched()
			}
		})
	}
	parties.Wait()
	subject.Close(s.Err)
	guests.Wait()
	return history, records
}

// attend subscribes, and leaves as it is said.
func (g guest) attend(ctx context.Context, r *record, o stream.Observable[move]) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var other sync.WaitGroup
	defer other.Wait()
	if g.Leave == "cancelled" { // from outside, at any time
		other.Go(func() {
			for range g.At {
				runtime.Gosched()
			}
			cancel(errCause)
		})
	}
	defer func() {
		if v := recover(); v != nil && v != errBoom {
			panic(v)
		}
	}()
	r.gone = true // unless it returns
	r.err = o(ctx, func(m move) bool {
		r.got = append(r.got, m)
		for range g.Slow {
			runtime.Gosched()
		}
		if len(r.got) != g.At {
			return true
		}
		switch g.Leave {
		case "stop":
			return false
		case "cancel":
			cancel(errCause)
		case "panic":
			panic(errBoom)
		case "exit":
			runtime.Goexit()
		}
		return true
	})
	r.gone = r.err == errCause || g.Leave == "stop" && len(r.got) == g.At
}

// check compares a record with what the policy allows for this history.
func (g guest) check(r record, history []move, end error) error {
	missed := history[r.joined:]
	switch g.Policy {
	case "Block", "FailSlow":
		for i, m := range r.got {
			if i == len(missed) || m != missed[i] {
				return errors.New("a gap or a repetition")
			}
		}
		missed = missed[len(r.got):]
	case "DropOldest", "DropNewest":
		last := r.joined
		for _, m := range r.got {
			if m.id <= last || m != history[m.id-1] {
				return errors.New("a repetition, or a value that was not published")
			}
			last = m.id
		}
		missed = nil
		if g.Policy == "DropOldest" {
			missed = history[last:]
		}
	case "Coalesce", "Bursting":
		missed = remainder(missed, r.got)
	}
	switch {
	case r.gone:
		return nil
	case g.Policy == "FailSlow" && errors.Is(r.err, stream.ErrSlowConsumer):
		if len(missed) == 0 {
			return errors.New("failed, but missed nothing")
		}
		return nil
	case len(missed) > 0:
		return errors.New("values are lost")
	case r.err != end:
		return errors.New("another end than the subject's")
	}
	return nil
}

// remainder is what is left of history when the moves that were got are taken away from the accounts:
// nothing, if they add up.
func remainder(history, got []move) (rest []move) {
	var balance [accounts]move
	for _, m := range history {
		balance[m.account].amount += m.amount
		balance[m.account].count += m.count
	}
	for _, m := range got {
		balance[m.account].amount -= m.amount
		balance[m.account].count -= m.count
	}
	for _, m := range balance {
		if m != (move{}) {
			rest = append(rest, m)
		}
	}
	return rest
}

// Subscribers come, are slow, stop, are cancelled, panic and exit, publishers publish, panic and exit,
// and so do functions of policies, all at once: everybody gets what the policy says, and is counted.
// Run it for long with
//
//	go test -race -run UnderRandomSchedules -rapid.checks=100000 -timeout=0 ./stream
func TestSubjectUnderRandomSchedules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawnStorm.Draw(t, "storm")
		subject := stream.NewSubject[move]()
		history, records := s.run(t.Context(), subject)
		var got uint64
		for i, r := range records {
			if err := s.Guests[i].check(r, history, s.Err); err != nil {
				t.Errorf("guest %d (%+v): %v: joined after %d of %d, got %v, then %v",
					i, s.Guests[i], err, r.joined, len(history), r.got, r.err)
			}
			got += uint64(len(r.got))
		}
		if total := subject.Totals(); total.Delivered != got || total.Lag != 0 {
			t.Errorf("%+v, but %d were delivered", total, got)
		}
		if !subject.Forgetful() {
			t.Error("something is left of subscribers that are gone")
		}
	})
}

// Subscribers of a Replay come and go: its source never runs twice at a time, and each sees a part of
// one run, without a gap.
func TestReplayUnderRandomSchedules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var running sync.Mutex
		source := stream.Observable[int](func(ctx context.Context, yield func(int) bool) error {
			if !running.TryLock() {
				t.Error("two subscriptions at a time")
				return nil
			}
			defer running.Unlock()
			return stream.Take(stream.FromSeq(naturals), 300)(ctx, yield)
		})
		o := stream.Replay(source, 3, stream.Block[int](2))
		var all sync.WaitGroup
		for i, stop := range rapid.SliceOfN(rapid.IntRange(1, 400), 1, 20).Draw(t, "stops") {
			all.Go(func() {
				for range i % 7 {
					runtime.Gosched()
				}
				values, err := stream.Take(o, stop).Collect(t.Context())
				for k, v := range values {
					if v != values[0]+k {
						t.Errorf("%d follows %d", v, values[k-1])
					}
				}
				if ended := len(values) < stop; err != nil || ended && len(values) > 0 && values[len(values)-1] != 299 {
					t.Errorf("ended with %v after %v", err, values)
				}
			})
		}
		all.Wait()
	})
}
