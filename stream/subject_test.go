package stream_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/stream"
)

// The model of a subject is written for its meaning alone: each subscriber has a list of its own.
// The values are ints, of which the last two digits are the key. Pending values of one key add up;
// the sum vanishes if it is divisible by 7, and goes to the end if it is divisible by 3.

const modelBatch = 64

// modelHeld is how many values Hold holds back.
const modelHeld = 512

func key(v int) int { return v % 100 }

func mergeInts(older, newer int) (int, stream.Place) {
	sum := (older/100+newer/100)*100 + key(older)
	switch {
	case sum/100%7 == 0:
		return 0, stream.Nowhere
	case sum/100%3 == 0:
		return sum, stream.AtNewer
	default:
		return sum, stream.AtOlder
	}
}

func policies(n int) []stream.Policy[int] {
	return []stream.Policy[int]{
		stream.Block[int](n), stream.DropOldest[int](n), stream.DropNewest[int](n), stream.FailSlow[int](n),
		stream.Coalesce(n, key, mergeInts),
	}
}

// modelSubscriber is what one subscriber should be like.
type modelSubscriber struct {
	policy  string
	limit   int
	waiting []int
	hand    []int // what is left of the batch
	batch   int   // its size when it was taken
	merging bool
	failed  bool // by FailSlow; ends when hand and waiting are empty
	gone    bool
	ended   bool // gone by itself, with err
	err     error
	stream.SubscriptionStats
}

func (m *modelSubscriber) publish(v int) {
	if m.gone || m.failed {
		return
	}
	if m.merging {
		m.merge(v)
		return
	}
	m.waiting = append(m.waiting, v)
	if len(m.waiting) <= m.limit {
		return
	}
	switch m.policy {
	case "DropOldest":
		m.waiting = m.waiting[1:]
		m.Dropped++
	case "DropNewest":
		m.waiting = m.waiting[:m.limit]
		m.Dropped++
	case "FailSlow":
		m.waiting = m.waiting[:m.limit]
		m.Dropped++
		m.failed = true
	case "Coalesce":
		pending := m.waiting
		m.waiting, m.merging = nil, true
		for _, v := range pending {
			m.merge(v)
		}
	}
}

func (m *modelSubscriber) merge(v int) {
	i := slices.IndexFunc(m.waiting, func(w int) bool { return key(w) == key(v) })
	if i < 0 {
		m.waiting = append(m.waiting, v)
		return
	}
	sum, place := mergeInts(m.waiting[i], v)
	m.waiting = slices.Clone(m.waiting)
	switch place {
	case stream.AtOlder:
		m.waiting[i] = sum
		m.Coalesced++
	case stream.AtNewer:
		m.waiting = append(slices.Delete(m.waiting, i, i+1), sum)
		m.Coalesced++
	case stream.Nowhere:
		m.waiting = slices.Delete(m.waiting, i, i+1)
		m.Coalesced += 2
	}
}

// take is what a subscriber does whenever it has nothing in hand.
func (m *modelSubscriber) take(closed bool, result error) {
	if m.gone || len(m.hand) > 0 {
		return
	}
	n := min(len(m.waiting), modelBatch)
	m.Delivered, m.batch = m.Delivered+uint64(m.batch), n
	m.hand, m.waiting = m.waiting[:n:n], m.waiting[n:]
	if len(m.waiting) == 0 {
		m.merging = false
	}
	switch {
	case n > 0:
	case m.failed:
		m.gone, m.ended, m.err = true, true, stream.ErrSlowConsumer
	case closed:
		m.gone, m.ended, m.err = true, true, result
	}
}

// blocks reports whether publishers have to wait for it.
func (m *modelSubscriber) blocks() bool {
	return !m.gone && m.policy == "Block" && len(m.waiting) > m.limit
}

// leave is what a subscriber does when it has been told to. It has got the values before the one that
// it is busy with, and that.
func (m *modelSubscriber) leave(err error) {
	m.gone, m.ended, m.err = true, true, err
	if len(m.hand) > 0 {
		m.Delivered += uint64(m.batch - len(m.hand) + 1)
	}
}

// realSubscriber is a real one, whose every value has to be allowed.
type realSubscriber struct {
	allow  chan bool // whether yield is to continue
	got    []int
	result chan error
	cancel context.CancelCauseFunc
}

func subscribe(ctx context.Context, o stream.Observable[int]) *realSubscriber {
	r := &realSubscriber{allow: make(chan bool), result: make(chan error, 1)}
	ctx, r.cancel = context.WithCancelCause(ctx)
	go func() {
		r.result <- o(ctx, func(v int) bool {
			r.got = append(r.got, v)
			select {
			case more := <-r.allow:
				return more
			case <-ctx.Done(): // only so that the test can end
				return true
			}
		})
	}()
	return r
}

type subjectOp struct {
	Kind  string
	Who   int // which subscriber
	Count int
	Limit int
}

// TestHoldIsLimited publishes one value after the other. Those that Hold holds back arrive together, again and again.
func TestHoldIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var subject stream.Subject[int]
		got := 0
		go func() {
			_ = subject.Observe(stream.Block[int](4*modelHeld), nil)(t.Context(), func(int) bool { got++; return true })
		}()
		synctest.Wait()
		subject.Hold()
		for n := 1; n <= 3*modelHeld; n++ {
			if err := subject.Publish(t.Context(), n); err != nil {
				t.Fatal(err)
			}
			if synctest.Wait(); got != n-n%modelHeld {
				t.Fatalf("%d of %d values have arrived", got, n)
			}
		}
		subject.Close(nil)
		synctest.Wait()
	})
}

func drawSubjectOps(t *rapid.T) []subjectOp {
	op := rapid.Custom(func(t *rapid.T) subjectOp {
		return subjectOp{
			Kind: rapid.SampledFrom([]string{
				"nothing", "subscribe", "subscribe", "publish", "publish", "publish", "publish", "allow", "allow", "allow", "allow",
				"allow", "publish", "hold", "hold", "release", "stop", "cancel", "end",
			}).Draw(t, "kind"),
			Who:   rapid.IntRange(0, 7).Draw(t, "who"),
			Count: rapid.OneOf(rapid.IntRange(1, 4), rapid.IntRange(1, 200)).Draw(t, "count"),
			Limit: rapid.OneOf(rapid.IntRange(1, 5), rapid.IntRange(50, 150)).Draw(t, "limit"),
		}
	})
	return rapid.SliceOfN(op, 50, 100).Draw(t, "ops")
}

// subjectTest runs operations on a subject and on the model, and compares them after each.
type subjectTest struct {
	subject *stream.Subject[int]
	state   []int // published so far, guarded by the subject
	closed  bool
	held    bool
	fresh   int // published since subscribers were woken last
	result  error
	real    []*realSubscriber
	model   []*modelSubscriber
	yielded [][]int      // per subscriber, what the model expects to have been yielded
	blocked []chan error // publishers that have not returned
}

var errBoom = errors.New("boom")

func TestSubjectBehavesLikeItsModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ops := drawSubjectOps(rt)
		var failure error
		synctest.Test(t, func(t *testing.T) {
			st := &subjectTest{subject: stream.NewSubject[int]()}
			for i, op := range ops {
				st.do(t.Context(), op)
				synctest.Wait()
				if failure = st.compare(); failure != nil {
					failure = fmt.Errorf("operation %d (%+v): %w", i, op, failure)
					break
				}
			}
			for _, r := range st.real {
				r.cancel(nil)
			}
			synctest.Wait()
			if failure == nil && !st.subject.Forgetful() {
				failure = errors.New("something is left of subscribers that are gone")
			}
		})
		if failure != nil {
			rt.Fatal(failure)
		}
	})
}

func (st *subjectTest) do(ctx context.Context, op subjectOp) {
	switch op.Kind {
	case "subscribe":
		st.subscribe(ctx, op)
		return
	case "publish":
		st.publish(ctx, op.Count)
		return
	case "end":
		if op.Count%2 == 0 { // an end of everything should be rare
			return
		}
		if st.closed {
			st.subject.Close(errors.New("too late"))
			return
		}
		st.closed, st.held = true, false
		if op.Count%4 == 1 {
			st.result = errBoom
		}
		st.subject.Close(st.result)
		st.wake()
		return
	case "hold":
		st.subject.Hold()
		st.held = true
		return
	case "release":
		st.subject.Release()
		st.held = false
		st.wake()
		return
	}
	if len(st.real) == 0 {
		return
	}
	who := op.Who % len(st.real)
	if m := st.model[who]; !m.gone {
		st.affect(op, who)
	}
	if !slices.ContainsFunc(st.model, func(m *modelSubscriber) bool { return !m.gone }) {
		st.fresh = 0
	}
}

// affect does what op says with one subscriber that is still there.
func (st *subjectTest) affect(op subjectOp, who int) {
	m, r := st.model[who], st.real[who]
	switch op.Kind {
	case "cancel":
		r.cancel(errBoom)
		m.leave(errBoom)
	case "stop":
		if len(m.hand) > 0 {
			r.allow <- false
			m.leave(nil)
		}
	case "allow":
		for range op.Count {
			if m.gone || len(m.hand) == 0 {
				return
			}
			r.allow <- true
			synctest.Wait()
			m.hand = m.hand[1:]
			m.take(st.closed, st.result)
			st.see(who)
		}
	}
}

// wake makes those take something who have nothing in hand.
func (st *subjectTest) wake() {
	st.fresh = 0
	for who, m := range st.model {
		if !m.gone && len(m.hand) == 0 {
			m.take(st.closed, st.result)
			st.see(who)
		}
	}
}

// see notes that the value the model has first in hand is being yielded.
func (st *subjectTest) see(who int) {
	if m := st.model[who]; len(m.hand) > 0 {
		st.yielded[who] = append(st.yielded[who], m.hand[0])
	}
}

func (st *subjectTest) subscribe(ctx context.Context, op subjectOp) {
	p := policies(op.Limit)[op.Who%5]
	prefix := min(op.Count, len(st.state))
	m := &modelSubscriber{policy: p.String(), limit: op.Limit, hand: slices.Clone(st.state[:prefix]), batch: prefix}
	m.take(st.closed, st.result)
	st.model = append(st.model, m)
	st.yielded = append(st.yielded, nil)
	st.see(len(st.model) - 1)
	st.real = append(st.real, subscribe(ctx, st.subject.Observe(p, func() []int { return st.state[:prefix:prefix] })))
}

// publish publishes in one Update, on a goroutine that may have to wait.
func (st *subjectTest) publish(ctx context.Context, count int) {
	first := len(st.state)
	blocked := make(chan error, 1)
	st.blocked = append(st.blocked, blocked)
	go func() {
		blocked <- st.subject.Update(ctx, func(emit func(int)) {
			for i := range count {
				st.state = append(st.state, first+i)
				emit(first + i)
			}
		})
	}()
	if st.closed {
		return
	}
	for _, m := range st.model {
		for i := range count {
			m.publish(first + i)
		}
	}
	if slices.ContainsFunc(st.model, func(m *modelSubscriber) bool { return !m.gone }) {
		st.fresh += count
	}
	if !st.held || st.fresh >= modelHeld || len(st.blocked) > 1 || slices.ContainsFunc(st.model, (*modelSubscriber).blocks) {
		st.wake()
	}
}

func (st *subjectTest) compare() error {
	blocks := false
	var stats []stream.SubscriptionStats
	var totals stream.SubscriptionStats
	for who, m := range st.model {
		r := st.real[who]
		if !slices.Equal(r.got, st.yielded[who]) {
			return fmt.Errorf("subscriber %d (%s) got %v, not %v", who, m.policy, r.got, st.yielded[who])
		}
		if m.ended {
			m.ended = false
			select {
			case err := <-r.result:
				if err != m.err {
					return fmt.Errorf("subscriber %d (%s) ended with %v, not %v", who, m.policy, err, m.err)
				}
			default:
				return fmt.Errorf("subscriber %d (%s) has not ended", who, m.policy)
			}
		}
		if len(r.result) > 0 {
			return fmt.Errorf("subscriber %d (%s) has ended with %v", who, m.policy, <-r.result)
		}
		if !m.gone {
			blocks = blocks || m.blocks() && !st.closed
			m.Policy, m.Lag = m.policy, len(m.waiting)+m.batch
			stats = append(stats, m.SubscriptionStats)
			totals.Lag += m.Lag
		}
		totals.Delivered += m.Delivered
		totals.Dropped += m.Dropped
		totals.Coalesced += m.Coalesced
	}
	return errors.Join(st.compareStats(stats, totals), st.comparePublishers(blocks))
}

func (st *subjectTest) compareStats(want []stream.SubscriptionStats, totals stream.SubscriptionStats) error {
	if got := st.subject.Totals(); got != totals {
		return fmt.Errorf("totals %+v, not %+v", got, totals)
	}
	got := st.subject.Subscribers()
	order := func(a, b stream.SubscriptionStats) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
	slices.SortFunc(got, order)
	slices.SortFunc(want, order)
	if !slices.Equal(got, want) {
		return fmt.Errorf("statistics %+v, not %+v", got, want)
	}
	return nil
}

func (st *subjectTest) comparePublishers(blocks bool) error {
	for i, blocked := range st.blocked {
		select {
		case err := <-blocked:
			switch {
			case blocks:
				return fmt.Errorf("publisher %d did not wait", i)
			case err != nil && !(st.closed && err == stream.ErrClosed):
				return fmt.Errorf("publisher %d got %w", i, err)
			}
		default:
			if !blocks {
				return fmt.Errorf("publisher %d still waits", i)
			}
		}
	}
	if !blocks {
		st.blocked = nil
	}
	return nil
}

// A newcomer's prefix and its values make up the history without a gap and without a repetition,
// while others publish, come and go.
func TestPrefixIsAtomic(t *testing.T) {
	const published = 20_000
	s := stream.NewSubject[int]()
	last := 0
	o := s.Observe(stream.Block[int](50), func() []int { return []int{last} })
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for seen := 0; seen < published; {
				want := -1
				err := o(t.Context(), func(v int) bool {
					if want >= 0 && v != want {
						t.Errorf("got %d, want %d", v, want)
					}
					seen, want = v, v+1
					return v%97 != 0 && v < published
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 2 {
		all.Go(func() {
			for done := false; !done; {
				_ = s.Update(t.Context(), func(emit func(int)) {
					if done = last >= published; !done {
						last++
						emit(last)
					}
				})
			}
		})
	}
	all.Wait()
}

// Whatever makes a subscriber leave, or a publisher give up, frees a publisher that waits for it.
func TestBlockedPublisherIsFreed(t *testing.T) {
	type scene struct {
		subject                   *stream.Subject[int]
		leave, panics             chan struct{}
		cancelPublisher, cancelIt context.CancelCauseFunc
	}
	for name, c := range map[string]struct {
		do   func(scene)
		want error
	}{
		"returns false":       {do: func(s scene) { close(s.leave) }},
		"panics":              {do: func(s scene) { close(s.panics) }},
		"is cancelled":        {do: func(s scene) { s.cancelIt(nil) }},
		"closed":              {do: func(s scene) { s.subject.Close(errBoom) }},
		"publisher cancelled": {do: func(s scene) { s.cancelPublisher(errBoom) }, want: errBoom},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := scene{subject: stream.NewSubject[int](), leave: make(chan struct{}), panics: make(chan struct{})}
				var itsCtx, publisherCtx context.Context
				itsCtx, s.cancelIt = context.WithCancelCause(t.Context())
				publisherCtx, s.cancelPublisher = context.WithCancelCause(t.Context())
				go func() {
					defer func() { _ = recover() }()
					_ = s.subject.Observe(stream.Block[int](1), nil)(itsCtx, func(int) bool {
						select {
						case <-s.panics:
							panic(errBoom)
						case <-itsCtx.Done():
							return true
						case <-s.leave:
							return false
						}
					})
				}()
				synctest.Wait()
				_ = s.subject.Publish(t.Context(), 0) // it has this one in hand from now on
				synctest.Wait()
				freed := make(chan error, 3)
				for range cap(freed) {
					go func() { freed <- s.subject.Publish(publisherCtx, 1, 2) }()
				}
				synctest.Wait()
				if len(freed) != 0 {
					t.Fatal("publishers did not wait")
				}
				c.do(s)
				synctest.Wait()
				for range cap(freed) {
					if err := <-freed; err != c.want {
						t.Error(err)
					}
				}
				s.cancelIt(nil)
				synctest.Wait()
			})
		})
	}
}

// Subscribers may publish to their own subject, unless they have to wait for themselves.
func TestPublishFromWithinYield(t *testing.T) {
	for _, p := range policies(2)[1:] {
		t.Run(p.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stream.NewSubject[int]()
				seen := 0
				go func() {
					_ = s.Observe(p, nil)(t.Context(), func(v int) bool {
						seen++
						return s.Publish(t.Context(), v+1) == nil && v < 1000
					})
				}()
				synctest.Wait()
				_ = s.Publish(t.Context(), 1)
				synctest.Wait()
				if seen != 1000 {
					t.Error(seen)
				}
			})
		})
	}
}

// A panic in a function that runs under the lock leaves it unlocked.
func TestPanicsUnderTheLock(t *testing.T) {
	s := stream.NewSubject[int]()
	boom := func() { panic(errBoom) }
	for name, f := range map[string]func(){
		"Update": func() { _ = s.Update(t.Context(), func(func(int)) { boom() }) },
		"View":   func() { s.View(boom) },
		"prefix": func() {
			_ = s.Observe(stream.Block[int](1), func() []int { boom(); return nil })(t.Context(), func(int) bool { return true })
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() != errBoom {
					t.Error("the panic was swallowed")
				}
				s.View(func() {})
				if n := len(s.Subscribers()); n != 0 {
					t.Errorf("%d subscribers", n)
				}
			}()
			f()
		})
	}
}

// A full, a panicking and a dead subscriber don't keep the others from their values.
func TestSubscribersDoNotDisturbEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stream.NewSubject[int]()
		release := stuck(t, s, stream.DropOldest[int](3))
		go func() {
			defer func() { _ = recover() }()
			_ = s.Observe(stream.Block[int](1), nil)(t.Context(), func(int) bool { panic(errBoom) })
		}()
		healthy := make(chan []int)
		go func() {
			got, _ := s.Observe(stream.Block[int](1), nil).Collect(t.Context())
			healthy <- got
		}()
		synctest.Wait()
		var want []int
		for v := range 1000 {
			want = append(want, v)
			if err := s.Publish(t.Context(), v); err != nil {
				t.Fatal(err)
			}
		}
		s.Close(nil)
		if got := <-healthy; !slices.Equal(got, want) {
			t.Error(got)
		}
		close(release)
	})
}

func TestPublishToSubjectThatIsOver(t *testing.T) {
	s := stream.NewSubject[int]()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errBoom)
	called := func(func(int)) { t.Error("called") }
	if err := s.Update(ctx, called); err != errBoom {
		t.Error(err)
	}
	s.Close(nil)
	if err := s.Update(t.Context(), called); err != stream.ErrClosed {
		t.Error(err)
	}
}
