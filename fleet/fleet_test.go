package fleet_test

import (
	"errors"
	"testing"

	"github.com/relaystream/autoconfig/fleet"
)

func TestMembersFollow(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 1), environment("b", 1))
	p := publish(t, b.connect(), up.observe, fleet.Options{})
	early := member(t, b.connect(), fleet.Options{})
	ready(t, early)
	has(t, early, "a:1 b:1")
	up.apply(patch(environment("a", 2)), patch(environment("c", 1)), remove("b", 2))
	has(t, early, "a:2 c:1")
	late := member(t, b.connect(), fleet.Options{})
	ready(t, late)
	has(t, late, "a:2 c:1")
	up.put(environment("c", 1))
	has(t, early, "c:1")
	has(t, late, "c:1")
	up.put(environment("c", 1), environment("a", 1))
	has(t, early, "a:1 c:1")
	has(t, late, "a:1 c:1")
	p.stop(t)
	if !errors.Is(p.err, errStop) {
		t.Error(p.err)
	}
	early.Close()
	late.Close()
	b.noConsumers(b.connect())
}
