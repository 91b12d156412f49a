package decode

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

const contentPrefix, contentSuffix = `{"path":"/","data":`, `}`

// FuzzContent compares Content with Messages for a put with the same content.
func FuzzContent(f *testing.F) {
	for _, s := range corpus(f) {
		if content, ok := bytes.CutPrefix(s.data, []byte(contentPrefix)); ok {
			f.Add(bytes.TrimSuffix(content, []byte(contentSuffix)))
		}
	}
	for _, data := range []string{"", "{}", "null", " {\"environments\":{}}\n", "[]", `{"environments":{}},"data":{"environments":{}}`} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Content(t.Context(), data, nil)
		if !json.Valid(data) {
			// Put together, the parts of an event can be valid although the content is not.
			var syntax *json.SyntaxError
			if malformed := (*MalformedError)(nil); !errors.As(err, &malformed) || !errors.As(err, &syntax) || got.Kind == Put {
				t.Fatalf("%q: %v, %v", data, got, err)
			}
			return
		}
		event := sse.Event{Type: PutEvent, Data: []byte(contentPrefix + string(data) + contentSuffix)}
		var want Message
		wantErr := Messages(stream.Just(event), nil)(t.Context(), func(m Message) bool {
			want = m
			return true
		})
		if d := cmp.Diff(want, got, cmp.Comparer(sameReason)); d != "" {
			t.Errorf("%q (-event +content):\n%s", data, d)
		}
		if !sameReason(wantErr, err) {
			t.Errorf("%q: %v, as an event %v", data, err, wantErr)
		}
	})
}

// sameReason reports whether a and b are the same error about a put, except for the position in the data.
func sameReason(a, b error) bool {
	var mistakeA, mistakeB *json.UnmarshalTypeError
	var malformedA, malformedB *MalformedError
	switch {
	case errors.As(a, &mistakeA):
		return errors.As(b, &mistakeB) && mistakeA.Type == mistakeB.Type && mistakeA.Value == mistakeB.Value
	case errors.As(a, &malformedA):
		return errors.As(b, &malformedB) && malformedA.Offset == malformedB.Offset && malformedA.Error() == malformedB.Error()
	case a == nil || b == nil:
		return a == b
	}
	return a.Error() == b.Error()
}

// TestContentTellsThePosition: the offset counts the bytes of the content.
func TestContentTellsThePosition(t *testing.T) {
	_, err := Content(t.Context(), []byte(`{"environments":x}`), nil)
	var malformed *MalformedError
	if !errors.As(err, &malformed) || malformed.Offset != int64(len(`{"environments":x`)) {
		t.Errorf("%#v", err)
	}
}

// TestContentHasTheOptions: the limit, the known environments and the unusual ones are those of Messages.
func TestContentHasTheOptions(t *testing.T) {
	known := EnvironmentRep{EnvID: "e1", Version: 1}
	data := []byte(`{"environments":{"e1":` + string(encoded(t, known)) + `,"e2":{"envID":"e2","x":1}}}`)
	unusual := 0
	m, err := Content(t.Context(), data, &Options{
		Known: func(id []byte) *EnvironmentRep {
			if string(id) == "e1" {
				return &known
			}
			return nil
		},
		OnUnusual: func(n int) { unusual += n },
	})
	if err != nil || m.Put.Len() != 2 || m.Put.Unchanged[0][0] != &known || unusual != 1 {
		t.Errorf("%v, %v, %d unusual", m, err, unusual)
	}
	if _, err := Content(t.Context(), data, &Options{MaxListed: 1}); !errors.Is(err, ErrTooMany) {
		t.Error(err)
	}
}

// TestContentStopsWithItsContext: the end of the context ends decoding.
func TestContentStopsWithItsContext(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	data := large(4 * checkEvery)["environments"].Data
	content := bytes.TrimSuffix(bytes.TrimPrefix(data, []byte(contentPrefix)), []byte(contentSuffix))
	if m, err := Content(ctx, content, nil); err != cause || m.Put != nil {
		t.Errorf("%v, %v", m, err)
	}
}
