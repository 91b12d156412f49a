package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// referenceEncode encodes a message with encoding/json.
func referenceEncode(t *testing.T, m *Message) string {
	t.Helper()
	var data any
	switch {
	case m.Put != nil:
		content := PutContent{Environments: map[EnvironmentID]EnvironmentRep{}, Filters: map[FilterID]FilterRep{}}
		for _, e := range m.Put.Environments {
			content.Environments[e.ID] = *e.Rep
		}
		for _, f := range m.Put.Filters {
			content.Filters[f.ID] = *f.Rep
		}
		data = PutMessageData{Path: "/", Data: content}
	case m.Environment.Rep != nil:
		data = PatchMessageData{Path: "/environments/" + string(m.Environment.ID), Data: *m.Environment.Rep}
	case m.Filter.Rep != nil:
		data = PatchFilterMessageData{Path: "/filters/" + string(m.Filter.ID), Data: *m.Filter.Rep}
	case m.Filter.ID != "":
		data = DeleteMessageData{Path: "/filters/" + string(m.Filter.ID), Version: m.Filter.Version}
	default:
		data = DeleteMessageData{Path: "/environments/" + string(m.Environment.ID), Version: m.Environment.Version}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(data); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// inOrder sorts entries as encoding/json sorts the keys of a map, of which there is one each.
func inOrder[ID EnvironmentID | FilterID, Rep any](entries []Entry[ID, Rep]) []Entry[ID, Rep] {
	slices.SortStableFunc(entries, func(a, b Entry[ID, Rep]) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return slices.CompactFunc(entries, func(a, b Entry[ID, Rep]) bool { return a.ID == b.ID })
}

func hasForm(m *Message) bool {
	if m.Put == nil {
		return m.Kind == Delete || m.Kind == Patch && m.Environment.Err == nil && m.Filter.Err == nil
	}
	return !slices.ContainsFunc(m.Put.Environments, func(e EnvironmentEntry) bool { return e.Rep == nil }) &&
		!slices.ContainsFunc(m.Put.Filters, func(e FilterEntry) bool { return e.Rep == nil })
}

// FuzzAppendData encodes whatever can be decoded: into the bytes that encoding/json writes, which decode as the same again.
func FuzzAppendData(f *testing.F) {
	for _, s := range corpus(f) {
		f.Add(s.event, s.data)
	}
	f.Add(uint8(0), []byte(`{"path":"/","data":{"environments":{"\"<\u2028>":{"envID":"\"<\u2028>","envName":"\u0000\u001f\b\f\u007fé😀"}}}}`))
	f.Fuzz(func(t *testing.T, event uint8, data []byte) {
		name := [...]string{PutEvent, PatchEvent, DeleteEvent}[event%3]
		m, err := newDecoder(nil).decode(name, data)
		if err != nil {
			return
		}
		if m.Put != nil {
			m.Put.Environments, m.Put.Filters, m.Put.FiltersErr = inOrder(m.Put.Environments), inOrder(m.Put.Filters), nil
		}
		got, err := m.AppendData(t.Context(), []byte("before "))
		if !hasForm(&m) {
			if !errors.Is(err, errNoForm) {
				t.Errorf("%v is encoded, with %v", m, err)
			}
			return
		}
		if want := "before " + referenceEncode(t, &m); string(got) != want || err != nil {
			t.Fatalf("%v\n got %s\nwant %s", err, got, want)
		}
		again, err := newDecoder(nil).decode(m.Kind.String(), got[len("before "):])
		if d := cmp.Diff(m, again, cmpopts.EquateEmpty()); d != "" || err != nil {
			t.Fatalf("decoded again: %v\n%s", err, d)
		}
	})
}

// TestEncodingHeedsItsContext: between any two entries of a put.
func TestEncodingHeedsItsContext(t *testing.T) {
	e, f := EnvironmentEntry{ID: "e", Rep: &EnvironmentRep{}}, FilterEntry{ID: "f", Rep: &FilterRep{}}
	m := Message{Kind: Put, Put: &Listing{Environments: []EnvironmentEntry{e, e, e}, Filters: []FilterEntry{f, f}}}
	for look := 1; look <= 5; look++ {
		if _, err := m.AppendData(newCountdown(t, look), nil); !errors.Is(err, errEnded) {
			t.Errorf("at look %d: %v", look, err)
		}
	}
	if _, err := m.AppendData(newCountdown(t, 6), nil); err != nil {
		t.Error(err)
	}
}

// BenchmarkAppendData has the cost of encoding a put, per environment.
func BenchmarkAppendData(b *testing.B) {
	m, err := newDecoder(nil).decode(PatchEvent, patchOf(plainEnvironment))
	if err != nil {
		b.Fatal(err)
	}
	put := Message{Kind: Put, Put: &Listing{Environments: slices.Repeat([]EnvironmentEntry{m.Environment}, b.N)}}
	data := make([]byte, 0, 2*encodedSize*b.N)
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := put.AppendData(b.Context(), data); err != nil {
		b.Fatal(err)
	}
}

// TestEncodingHasWhatIsUnchanged: the put with everything is the same, whatever was known when it was decoded.
func TestEncodingHasWhatIsUnchanged(t *testing.T) {
	put := []byte(`{"path":"/","data":{"environments":{"e0":` + strings.ReplaceAll(plainEnvironment, `"e1"`, `"e0"`) + `,"e1":` + plainEnvironment + `}}}`)
	known := receiver{}
	if m, err := newDecoder(nil).decode(PatchEvent, patchOf(plainEnvironment)); err == nil {
		known.receive(m)
	}
	m, err := newDecoder(&Options{Known: known.find}).decode(PutEvent, put)
	if err != nil || m.Put.Unchanged.Len() != 1 {
		t.Fatal(m, err)
	}
	if got, err := m.AppendData(t.Context(), nil); err != nil || string(got) != string(put) {
		t.Errorf("got  %s, %v\nwant %s", got, err, put)
	}
}
