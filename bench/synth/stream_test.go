package synth

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/relaystream/autoconfig/decode"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// everything returns a Config with every kind of message.
func everything(seed uint64) Config {
	return Config{
		Seed: seed, Environments: 50, PutSize: 40, Filters: 5, NameLength: 8, Rotating: 0.5, ConcurrentKeys: 0.5,
		Stale: 0.1, Unchanged: 0.1, Deletes: 0.1, FilterPatches: 0.1, Unusual: 0.3,
	}
}

// text returns a whole stream.
func text(cfg Config, messages int) []byte {
	s := New(cfg)
	out := bytes.Clone(s.Put())
	for block := range s.Rest() {
		out = append(out, block...)
	}
	for block := range s.Blocks(messages) {
		out = append(out, block...)
	}
	return append(append(out, s.Mark()...), s.Put()...)
}

func TestSameSeedSameBytes(t *testing.T) {
	sum := func(seed uint64) [32]byte { return sha256.Sum256(text(everything(seed), 500)) }
	one, same, other := sum(1), sum(1), sum(2)
	if one != same {
		t.Error("two streams of one seed differ")
	}
	if one == other {
		t.Error("streams of two seeds are the same")
	}
}

// A reader with only encoding/json and the version rule ends in the state of the stream, and counts the
// changes that the stream counts.
func TestNaiveReaderAgrees(t *testing.T) {
	for name, cfg := range map[string]Config{"default": Default(), "everything": everything(3)} {
		t.Run(name, func(t *testing.T) {
			s := New(cfg)
			r := naive{versions: map[string]int{}, live: map[decode.EnvironmentID]decode.EnvironmentRep{}}
			r.read(t, s.Put())
			for block := range s.Rest() {
				r.read(t, block)
			}
			for block := range s.Blocks(2000) {
				r.read(t, block)
			}
			r.read(t, s.Mark())
			r.read(t, s.Put())
			if diff := cmp.Diff(s.Environments(), r.live); diff != "" {
				t.Errorf("environments (-stream +reader):\n%s", diff)
			}
			if got := r.counts; got != s.Counts() {
				t.Errorf("the reader counted %+v, the stream %+v", got, s.Counts())
			}
			for id, f := range s.Filters() {
				if got := r.filters[id]; got != f {
					t.Errorf("filter %s: read %+v, the stream has %+v", id, got, f)
				}
			}
		})
	}
}

func TestShares(t *testing.T) {
	const messages = 20_000
	cfg := everything(4)
	s := New(cfg)
	r := naive{versions: map[string]int{}, live: map[decode.EnvironmentID]decode.EnvironmentRep{}}
	r.read(t, s.Put())
	for block := range s.Rest() {
		r.read(t, block)
	}
	rotating, concurrent := 0, 0
	for i := range s.envs {
		rotating += count(s.envs[i].rotating)
		concurrent += count(s.envs[i].rep.SDKKeys != nil)
	}
	before := r
	deletes, filters, unusual := 0, 0, 0
	for block := range s.Blocks(messages) {
		r.read(t, block)
		deletes += count(bytes.HasPrefix(block, []byte("event: delete")))
		filters += count(bytes.Contains(block, []byte(`"/filters/`)))
		// Everything but these unusual names is ASCII without escapes.
		unusual += count(bytes.ContainsFunc(block, func(c rune) bool { return c > '~' || c == '\\' || c == '\t' }))
	}
	near := func(what string, got int, of int, want, tolerance float64) {
		if share := float64(got) / float64(of); math.Abs(share-want) > tolerance {
			t.Errorf("share of %s is %.3f, want %.3f", what, share, want)
		}
	}
	near("rotating environments", rotating, len(s.envs), cfg.Rotating, 0.2)
	near("environments with concurrent keys", concurrent, len(s.envs), cfg.ConcurrentKeys, 0.2)
	near("stale patches", r.stale-before.stale, messages, cfg.Stale, 0.02)
	near("filter patches", filters, messages, cfg.FilterPatches, 0.01)
	// Messages about an environment that is already deleted become updates, and some unchanged messages
	// are deletions.
	near("unchanged messages", r.unchanged-before.unchanged, messages, cfg.Unchanged, 0.02)
	near("deletes", deletes, messages, cfg.Deletes, 0.05)
	if unusual < messages/20 {
		t.Errorf("only %d unusual messages", unusual)
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestDefaultPatchSize(t *testing.T) {
	s := New(Default())
	s.Put()
	const n = 50_000
	size := 0
	for block := range s.Blocks(n) {
		size += len(block) - len("event: patch\ndata: \n\n")
	}
	if mean := float64(size) / n; mean < 380 || mean > 392 {
		t.Errorf("a patch has %.1f bytes of JSON in the mean, want about 386", mean)
	}
}

// naive is the simplest possible reader of blocks.
type naive struct {
	versions         map[string]int // by path
	live             map[decode.EnvironmentID]decode.EnvironmentRep
	filters          map[decode.FilterID]decode.FilterRep
	counts           Counts
	stale, unchanged int
}

func (r *naive) read(t *testing.T, block []byte) {
	t.Helper()
	var name, data string
	for line := range strings.Lines(string(block)) {
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "event":
			name = value
		case "data":
			data += value + "\n"
		}
	}
	switch name {
	case decode.PutEvent:
		var put decode.PutMessageData
		r.unmarshal(t, data, &put)
		r.put(put.Data)
	case decode.PatchEvent:
		r.patch(t, data)
	case decode.DeleteEvent:
		var del decode.DeleteMessageData
		r.unmarshal(t, data, &del)
		r.delete(del)
	default:
		t.Fatalf("an event named %q", name)
	}
}

func (*naive) unmarshal(t *testing.T, data string, into any) {
	t.Helper()
	strict := json.NewDecoder(strings.NewReader(data))
	strict.DisallowUnknownFields()
	if err := strict.Decode(into); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
}

func (r *naive) put(content decode.PutContent) {
	for id, rep := range content.Environments {
		r.upsert("/environments/"+string(id), id, rep)
	}
	r.filters = content.Filters
	r.counts.Synced++
}

func (r *naive) patch(t *testing.T, data string) {
	t.Helper()
	if strings.Contains(strings.ReplaceAll(data, `\`, ""), `"/filters/`) {
		var patch decode.PatchFilterMessageData
		r.unmarshal(t, data, &patch)
		r.filters[decode.FilterID(strings.TrimPrefix(patch.Path, "/filters/"))] = patch.Data
		return
	}
	var patch decode.PatchMessageData
	r.unmarshal(t, data, &patch)
	if patch.Path != "/environments/"+string(patch.Data.EnvID) {
		t.Fatalf("path %s for environment %s", patch.Path, patch.Data.EnvID)
	}
	r.upsert(patch.Path, patch.Data.EnvID, patch.Data)
}

func (r *naive) upsert(path string, id decode.EnvironmentID, rep decode.EnvironmentRep) {
	if r.old(path, rep.Version) {
		return
	}
	r.versions[path] = rep.Version
	if _, ok := r.live[id]; ok {
		r.counts.Updated++
	} else {
		r.counts.Added++
	}
	r.live[id] = rep
}

func (r *naive) delete(del decode.DeleteMessageData) {
	if r.old(del.Path, del.Version) {
		return
	}
	r.versions[del.Path] = del.Version
	delete(r.live, decode.EnvironmentID(strings.TrimPrefix(del.Path, "/environments/")))
	r.counts.Deleted++
}

func (r *naive) old(path string, version int) bool {
	known, ok := r.versions[path]
	r.stale += count(ok && version < known)
	r.unchanged += count(ok && version == known)
	return ok && version <= known
}
