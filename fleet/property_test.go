package fleet_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/fleet"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// TestMembersEqualADirectSubscriber: whatever the service says, and however publishers and members come and go, the
// changes of every member follow from each other and lead to the service's state, and a member deletes nothing more
// often than a subscriber of the service does.
func TestMembersEqualADirectSubscriber(t *testing.T) {
	b := newBroker(t)
	var runs atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		r := &run{t: t, broker: b, up: newUpstream(), bucket: fmt.Sprint("run", runs.Add(1)), versions: map[string]int{}, deleted: map[string]bool{}}
		defer r.end()
		r.direct = r.watch("direct", r.up.observe)
		r.up.put()
		r.publisher(rt)
		r.member(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"put": r.put, "patch": r.patch, "delete": r.delete, "filter": r.filter, "publisher": r.publisher,
			"handover": r.handover, "member": r.member, "quiet": r.quiet,
		})
		r.quiet(rt)
	})
}

// A run is one history.
type run struct {
	t      *testing.T
	broker *broker
	up     *upstream
	bucket string
	ends   []func()

	versions   map[string]int  // the last of each item; what it says follows from its version
	deleted    map[string]bool // whether that was a deletion
	marks      int             // how often it was quiet
	publishers []*publishing
	direct     *testkit.Mirror
	members    []*testkit.Mirror
}

func (r *run) end() {
	for i := len(r.ends) - 1; i >= 0; i-- {
		r.ends[i]()
	}
}

// watch mirrors changes until the end of the run.
func (r *run) watch(name string, changes func(context.Context, func(autoconfig.Change) bool) error) *testkit.Mirror {
	m := testkit.NewMirror(name)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = changes(ctx, func(c autoconfig.Change) bool {
			m.Apply(c)
			return true
		})
	}()
	r.ends = append(r.ends, func() {
		cancel()
		<-done
	})
	return m
}

func drawID(t *rapid.T) string { return rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "id") }

// next returns a version: usually the next, sometimes one that is known, if that was not deleted: whether the service
// has forgotten a deletion is not known to a publisher that was not there.
func (r *run) next(t *rapid.T, id string) int {
	if r.versions[id] == 0 || r.deleted[id] || rapid.IntRange(0, 3).Draw(t, "stale") > 0 {
		r.versions[id]++
	}
	r.deleted[id] = false
	return r.versions[id]
}

// at returns the environment at a version. Each version has another key, and names the one before.
func at(id string, version int) autoconfig.EnvironmentRep {
	e := environment(autoconfig.EnvironmentID(id), version)
	e.EnvName = fmt.Sprintf("<%s & %d>", id, version)
	e.SDKKey.Value = autoconfig.SDKKey(fmt.Sprintf("sdk-%s-%d", id, version))
	if version > 1 {
		e.SDKKey.Expiring = decode.ExpiringKeyRep{Value: autoconfig.SDKKey(fmt.Sprintf("sdk-%s-%d", id, version-1)), Timestamp: 4e12}
	}
	return e
}

func (r *run) put(t *rapid.T) {
	var listed []autoconfig.EnvironmentRep
	for _, id := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d"}), rapid.ID).Draw(t, "listed") {
		listed = append(listed, at(id, r.next(t, id)))
	}
	m := put(listed...)
	if rapid.Bool().Draw(t, "filters") {
		v := r.next(t, "f")
		m.Put.Filters = []decode.FilterEntry{{ID: "f", Version: v, Rep: &decode.FilterRep{ProjKey: "p", FilterKey: fmt.Sprint("k", v), Version: v}}}
	}
	r.up.apply(m)
}

func (r *run) patch(t *rapid.T) {
	id := drawID(t)
	r.up.apply(patch(at(id, r.next(t, id))))
}

func (r *run) delete(t *rapid.T) {
	id := drawID(t)
	r.up.apply(remove(autoconfig.EnvironmentID(id), r.next(t, id)))
	r.deleted[id] = true
}

func (r *run) filter(t *rapid.T) {
	v := r.next(t, "f")
	m := decode.Message{Kind: decode.Patch, Filter: decode.FilterEntry{ID: "f", Version: v}}
	if rapid.Bool().Draw(t, "deleted") {
		m.Kind = decode.Delete
		r.deleted["f"] = true
	} else {
		m.Filter.Rep = &decode.FilterRep{ProjKey: "p", FilterKey: fmt.Sprint("k", v), Version: v}
	}
	r.up.apply(m)
}

func (r *run) publisher(t *rapid.T) {
	if len(r.publishers) < 3 {
		p := publish(r.t, r.broker.connect(), r.up.observe, fleet.Options{Bucket: r.bucket, Lease: 10 * time.Second})
		r.publishers = append(r.publishers, p)
		r.ends = append(r.ends, func() { p.stop(r.t) })
	}
}

// handover ends the publisher that holds the lease, if any, and begins another.
func (r *run) handover(t *rapid.T) {
	for i, p := range r.publishers {
		if p.holding() {
			p.stop(r.t)
			r.publishers = append(r.publishers[:i], r.publishers[i+1:]...)
			break
		}
	}
	r.publisher(t)
}

func (r *run) member(*rapid.T) {
	if len(r.members) < 5 {
		c := member(r.t, r.broker.connect(), fleet.Options{Bucket: r.bucket})
		r.ends = append(r.ends, c.Close)
		r.members = append(r.members, r.watch(fmt.Sprint("member ", len(r.members)), c.Changes()))
	}
}

// quiet waits until every member has what the service has, and checks how it came to that. The last change is a mark: without
// it, a member may look the same in the middle of what it still has to hear.
func (r *run) quiet(t *rapid.T) {
	r.marks++
	r.up.apply(patch(at("mark", r.marks)))
	want := r.up.content()
	for _, m := range append([]*testkit.Mirror{r.direct}, r.members...) {
		eventually(t, m.Name+" has what the service has", func() bool {
			return cmp.Equal(m.Content(), want, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(decode.EnvironmentRep{}, "Lingering"))
		})
		m.Check(r.t, want)
		for id, n := range m.Deletions() {
			if n > r.direct.Deletions()[id] {
				t.Errorf("%s deletes %s %d times, the service %d times", m.Name, id, n, r.direct.Deletions()[id])
			}
		}
	}
}
