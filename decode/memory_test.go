package decode

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"unsafe"
	"weak"

	"github.com/relaystream/autoconfig/stream/sse"
)

// TestEventsAreNotKept checks that the data of an event can be freed when its message has been passed on. It may be
// in a buffer that is as large as the largest put.
func TestEventsAreNotKept(t *testing.T) {
	kept := 0
	events := func(_ context.Context, yield func(sse.Event) bool) error {
		for _, seed := range corpus(t) {
			name := [...]string{PutEvent, PatchEvent, DeleteEvent}[seed.event%3]
			if _, err := newDecoder(nil).decode(name, seed.data); err != nil {
				continue // the error would end the observable
			}
			buffer := make([]byte, 1<<16)
			left := weak.Make(&buffer[0])
			if !yield(sse.Event{Type: name, Data: buffer[:copy(buffer, seed.data)]}) {
				return nil
			}
			buffer = nil
			if runtime.GC(); left.Value() != nil {
				kept++
			}
		}
		return nil
	}
	messages, err := Messages(events, nil).Count(t.Context())
	if err != nil || messages == 0 || kept > 0 {
		t.Errorf("of %d events %d are kept, %v", messages, kept, err)
	}
}

// TestLargeEventsLeaveNothing decodes events that make the state of the decoder large, or an error that the
// receiver keeps.
func TestLargeEventsLeaveNothing(t *testing.T) {
	const large = 8 << 20
	long := strings.Repeat("x", large)
	keys := func(member string) string {
		const key = `{"key":"k","value":"sdk-11111111-new"},`
		return `"` + member + `":[` + strings.TrimSuffix(strings.Repeat(key, large/len(key)), ",") + `],"version"`
	}
	patch := func(changes ...string) sse.Event {
		return sse.Event{Type: PatchEvent, Data: patchOf(strings.NewReplacer(changes...).Replace(plainEnvironment))}
	}
	for name, event := range map[string]func() sse.Event{
		"names":       func() sse.Event { return patch("Production", long) },
		"SDK keys":    func() sse.Event { return patch(`"version"`, keys("sdkKeys")) },
		"mobile keys": func() sse.Event { return patch(`"version"`, keys("mobileKeys"), "mob-22222222", "sdk-11111111-new") },
		"path":        func() sse.Event { return sse.Event{Type: PatchEvent, Data: []byte(`{"path":"` + long + `"}`)} },
		"type":        func() sse.Event { return sse.Event{Type: strings.Clone(long)} },
	} {
		var kept int64
		events := func(_ context.Context, yield func(sse.Event) bool) error {
			yield(sse.Event{})
			before := heap()
			yield(event())
			kept = heap() - before
			yield(sse.Event{})
			return nil
		}
		var all []error
		err := Messages(events, nil).ForEach(t.Context(), func(m Message) error {
			all = append(all, m.Err)
			return nil
		})
		if err != nil || len(all) != 3 || kept > large/4 {
			t.Errorf("%s: %d bytes more are kept after it, %v", name, kept, err)
		}
	}
}

// TestEscapesTakeLittleMemory decodes patches that consist of texts with escapes. Each text takes a buffer of its length,
// and what is left of it. White space behind the environment makes the fast path fail, which must not have read a long
// patch for nothing.
func TestEscapesTakeLittleMemory(t *testing.T) {
	const size = 2 << 20
	text := strings.Repeat(`\"`, 5000)
	key := `{"key":"` + text + `","value":"sdk-11111111-new"},`
	long := strings.Replace(plainEnvironment, "Production", strings.Repeat(`\"`, size/2), 1)
	many := strings.Replace(plainEnvironment, `"version"`, `"sdkKeys":[`+strings.TrimSuffix(strings.Repeat(key, size/len(key)), ",")+`],"version"`, 1)
	inKey := strings.Replace(plainEnvironment, `"sdk-11111111-new"`, `"`+strings.Repeat(`\"`, size/2)+`","x":1`, 1) // x is for the general path
	for _, environment := range []string{long, many, inKey} {
		for _, end := range []string{"}", " }", "} "} {
			patch := patchOf(strings.TrimSuffix(environment, "}") + end)
			n := bytesAllocated(func() {
				if m, err := newDecoder(nil).decode(PatchEvent, patch); err != nil || m.Environment.Rep == nil {
					t.Error(m, err)
				}
			})
			if limit := size + size/2 + 1<<18; n > uint64(limit) {
				t.Errorf("%.200s, end %q: %d bytes, at most %d", patch, end, n, limit)
			}
		}
	}
}

// heap returns the number of bytes in use on the heap.
func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// TestTextsAreKeptByThemselves checks that a long text keeps no other text in memory. An ID outlives its
// environment, and a text that does not change outlives the version that brought it.
func TestTextsAreKeptByThemselves(t *testing.T) {
	environment := plainEnvironment
	for _, text := range []string{"e1", "production", "Production", "shop", "Web Shop", "sdk-11111111-new", "sdk-00000000-old", "mob-22222222"} {
		environment = strings.Replace(environment, `"`+text+`"`, `"`+text+strings.Repeat("-", maxShared-64)+`"`, 1) // two of them are too long to share memory
	}
	texts := func(data []byte) []string {
		m, err := newDecoder(nil).decode(PutEvent, data)
		if err != nil {
			t.Fatal(err)
		}
		e := m.Put.Environments[0].Rep
		return []string{string(e.EnvID), e.EnvKey, e.EnvName, e.ProjKey, e.ProjName, string(e.MobKey), string(e.SDKKey.Value), string(e.SDKKey.Expiring.Value)}
	}
	id := "e1" + strings.Repeat("-", maxShared-64)
	bothPaths(`{"path":"/","data":{"environments":{"`+id+`":`+environment+`}}}`, func(data []byte) {
		for i := range texts(data) {
			all := texts(data)
			kept, others := all[i], make([]weak.Pointer[byte], len(all))
			for j, text := range all {
				others[j] = weak.Make(unsafe.StringData(text))
			}
			clear(all)
			runtime.GC()
			for j, other := range others {
				if (other.Value() != nil) != (i == j) {
					t.Errorf("with text %d text %d: kept %t", i, j, other.Value() != nil)
				}
			}
			runtime.KeepAlive(kept)
		}
	})
}
