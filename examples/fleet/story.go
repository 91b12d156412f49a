package main

import (
	"context"
	"fmt"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
)

// A story is what happens to a fleet. Each part waits until the members have seen what it caused.
type story struct {
	out        *printer
	service    *autoconfigtest.Server
	nats       *broker
	publishers []*publisher
	members    []*member
	audience   *audience
}

func (s *story) tell(ctx context.Context) error {
	s.audience = &audience{out: s.out}
	for _, part := range []func(context.Context) error{s.begin, s.change, s.kill, s.cut, s.restart, s.handOver} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	s.out.print("done", "%d requests reached the service, for three publishers and five members", len(s.service.Requests()))
	return nil
}

func (s *story) begin(ctx context.Context) error {
	s.service.Put(autoconfig.PutContent{Environments: map[autoconfig.EnvironmentID]autoconfig.EnvironmentRep{
		"prod": environment("prod", "Production", 1), "test": environment("test", "Test", 1),
	}})
	for i := range 3 {
		js, err := s.nats.connect()
		if err != nil {
			return err
		}
		s.publishers = append(s.publishers, publish(ctx, fmt.Sprint("publisher ", i+1), js, s.service.URL, s.out))
	}
	s.audience.expect(4)
	for range 4 {
		if err := s.join(ctx); err != nil {
			return err
		}
	}
	return s.all(ctx, "prod", 1)
}

// join adds a member.
func (s *story) join(ctx context.Context) error {
	js, err := s.nats.connect()
	if err != nil {
		return err
	}
	m, err := join(ctx, js, s.audience)
	if err != nil {
		js.Conn().Close()
		return err
	}
	s.members = append(s.members, m)
	return nil
}

// all waits until all members have a version of an environment.
func (s *story) all(ctx context.Context, id autoconfig.EnvironmentID, version int) error {
	for i, m := range s.members {
		what := fmt.Sprintf("member %d has version %d of %s", i+1, version, string(id))
		if err := await(ctx, what, func() bool { return m.has(id, version) }); err != nil {
			return err
		}
	}
	return nil
}

// holder waits until a publisher holds the lease.
func (s *story) holder(ctx context.Context) (holder *publisher, err error) {
	err = await(ctx, "a publisher holds the lease", func() bool {
		for _, p := range s.publishers {
			if p.status.Get().Holding {
				holder = p
			}
		}
		return holder != nil
	})
	return holder, err
}

func (s *story) change(ctx context.Context) error {
	s.out.print("service", "renames Production")
	s.service.Patch(environment("prod", "Production EU", 2))
	return s.all(ctx, "prod", 2)
}

func (s *story) kill(ctx context.Context) error {
	holder, err := s.holder(ctx)
	if err != nil {
		return err
	}
	s.out.print("!", "%s is killed; its lease expires after %v", holder.name, lease)
	start := time.Now()
	s.remove(holder)
	holder.kill()
	s.service.Patch(environment("test", "Test EU", 2))
	if err := s.all(ctx, "test", 2); err != nil {
		return err
	}
	s.out.print("members", "have what the service said meanwhile, %.1f s after the kill", time.Since(start).Seconds())
	return nil
}

// remove removes a publisher from those that there are.
func (s *story) remove(gone *publisher) {
	var left []*publisher
	for _, p := range s.publishers {
		if p != gone {
			left = append(left, p)
		}
	}
	s.publishers = left
}

func (s *story) cut(ctx context.Context) error {
	s.out.print("!", "the service is out of reach; a fifth member starts all the same")
	unavailable := autoconfigtest.Status(503)
	s.service.Next(unavailable, unavailable, unavailable)
	s.service.CloseConnections()
	s.audience.expect(1)
	if err := s.join(ctx); err != nil {
		return err
	}
	if err := s.all(ctx, "test", 2); err != nil {
		return err
	}
	s.audience.expect(5)
	s.out.print("service", "comes back; meanwhile Test was deleted and Staging added")
	s.service.Delete("test", 3)
	s.service.Patch(environment("staging", "Staging", 1))
	return s.all(ctx, "staging", 1)
}

func (s *story) restart(ctx context.Context) error {
	s.out.print("!", "the NATS server restarts; members keep what they have")
	s.nats.stop()
	if err := s.all(ctx, "staging", 1); err != nil {
		return err
	}
	s.service.Patch(environment("staging", "Staging EU", 2))
	if err := s.nats.start(); err != nil {
		return err
	}
	return s.all(ctx, "staging", 2)
}

func (s *story) handOver(ctx context.Context) error {
	holder, err := s.holder(ctx)
	if err != nil {
		return err
	}
	s.out.print("!", "%s leaves, and hands over", holder.name)
	start := time.Now()
	s.remove(holder)
	holder.leave()
	if _, err := s.holder(ctx); err != nil {
		return err
	}
	s.out.print("publishers", "had nobody with the lease for less than %d ms", time.Since(start).Milliseconds()+1)
	s.service.Patch(environment("prod", "Production", 3))
	return s.all(ctx, "prod", 3)
}

// leave ends everybody.
func (s *story) leave() {
	for _, m := range s.members {
		m.leave()
	}
	for _, p := range s.publishers {
		p.leave()
	}
}
