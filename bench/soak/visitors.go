package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/stream"
)

// errLeft ends a visit that has received enough.
var errLeft = errors.New("left")

// A visit is what one visitor does until ctx ends. It calls pace for each value.
type visit struct {
	name string
	do   func(c *crowd, ctx context.Context, pace func() error) error
}

// visits returns all visits. Those of subscribers appear twice, because they are cheaper.
func visits() []visit {
	const small = 16
	subscribers := []visit{
		{"Changes", strictly(func(c *autoconfig.Client) stream.Observable[autoconfig.Change] { return c.Changes() })},
		{"Block", strictly(under(stream.Block[autoconfig.Change](small)))},
		{"FailSlow", strictly(under(stream.FailSlow[autoconfig.Change](small)))},
		{"DropOldest", loosely(under(stream.DropOldest[autoconfig.Change](small)))},
		{"DropNewest", loosely(under(stream.DropNewest[autoconfig.Change](small)))},
		{"Events", loosely((*autoconfig.Client).Events)},
		{"Messages", loosely((*autoconfig.Client).Messages)},
		{"Status", loosely((*autoconfig.Client).Status)},
	}
	all := append(subscribers, subscribers...)
	return append(all, visit{"Observe", observe}, visit{"Client", visitingClient}, visit{"StreamManager", visitingManager})
}

func under(policy stream.Policy[autoconfig.Change]) func(*autoconfig.Client) stream.Observable[autoconfig.Change] {
	return func(c *autoconfig.Client) stream.Observable[autoconfig.Change] { return c.ChangesUnder(policy) }
}

// loosely subscribes without checking the values.
func loosely[T any](what func(*autoconfig.Client) stream.Observable[T]) func(*crowd, context.Context, func() error) error {
	return func(c *crowd, ctx context.Context, pace func() error) error {
		return what(c.client).ForEach(ctx, func(T) error { return pace() })
	}
}

// strictly subscribes to changes and checks that none is missing.
func strictly(what func(*autoconfig.Client) stream.Observable[autoconfig.Change]) func(*crowd, context.Context, func() error) error {
	return func(c *crowd, ctx context.Context, pace func() error) error { return watch(ctx, what(c.client), pace) }
}

func watch(ctx context.Context, changes stream.Observable[autoconfig.Change], pace func() error) error {
	var m mirror
	err := changes.ForEach(ctx, func(change autoconfig.Change) error {
		m.apply(change)
		return pace()
	})
	if problem := m.fault(); problem != "" {
		return fmt.Errorf("%w: %s", ErrDiverged, problem)
	}
	return err
}

func observe(c *crowd, ctx context.Context, pace func() error) error {
	return watch(ctx, autoconfig.Observe(key, c.away.options("")), pace)
}

// visitingClient starts from what the last one saved.
func visitingClient(c *crowd, ctx context.Context, pace func() error) error {
	client, err := autoconfig.Open(ctx, key, c.away.options(c.cache+".visitors"))
	if err != nil {
		return err
	}
	defer c.closed(client.Close)
	if err := client.Ready(ctx); err != nil {
		return err
	}
	return watch(ctx, client.Changes(), pace)
}

func visitingManager(c *crowd, ctx context.Context, _ func() error) error {
	h := newHandler()
	manager := c.away.manager(h)
	manager.Start()
	<-ctx.Done()
	c.closed(manager.Close)
	if problem := h.fault(); problem != "" {
		return fmt.Errorf("%w: %s", ErrDiverged, problem)
	}
	return nil
}

// invite starts visits until ctx ends, and waits until the last one has ended.
func (c *crowd) invite(ctx context.Context) {
	all := visits()
	for ctx.Err() == nil {
		rng := c.next()
		v := all[rng.IntN(len(all))]
		wait := time.Duration(rng.Int64N(int64(40 * time.Millisecond)))
		c.visiting.Go(func() {
			// A visit may outlast ctx, but not for long.
			stay, cancel := context.WithTimeout(context.Background(), time.Duration(rng.Int64N(int64(500*time.Millisecond))))
			defer cancel()
			if err := v.do(c, stay, pace(stay, rng)); unexpected(err) {
				c.fail(fmt.Errorf("visitor under %s: %w", v.name, err))
			}
		})
		pause(ctx, wait)
	}
	c.visiting.Wait()
}

// next returns the random numbers of the next visitor.
func (c *crowd) next() *rand.Rand {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.visitors++
	return rand.New(rand.NewPCG(c.rng.Uint64(), 3))
}

// pace returns the pace of a visitor: fast, slow for each value, or with one long pause. Some visitors leave
// after a number of values.
func pace(ctx context.Context, rng *rand.Rand) func() error {
	seen, enough, nap := 0, -1, -1
	slow := time.Duration(0)
	switch rng.IntN(4) {
	case 0:
		slow = time.Duration(rng.Int64N(int64(time.Millisecond)))
	case 1:
		nap = rng.IntN(1000)
	case 2:
		enough = 1 + rng.IntN(1000)
	}
	return func() error {
		seen++
		switch {
		case slow > 0:
			pause(ctx, slow)
		case seen == nap:
			pause(ctx, 300*time.Millisecond)
		case seen == enough:
			return errLeft
		}
		return nil
	}
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
