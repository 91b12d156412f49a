package decode

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestMalformedOffset: an offset is that in the event, or 0.
func TestMalformedOffset(t *testing.T) {
	for _, test := range []struct {
		event, data string
		before      string // what has been read when the error is noticed; nothing if that is unknown
	}{
		{PatchEvent, `{"path":"/environments/e","data":{"envID":1,"version":1}}`, `{"path":"/environments/e","data":{"envID":1`},
		{PatchEvent, `{"path":"/environments/e","data":]}`, `{"path":"/environments/e","data":]`},
		{PatchEvent, `{"path":"/environments/e","data":{"version":-1}}`, ``},
		{DeleteEvent, `{"path":"/environments/e","version":""}`, `{"path":"/environments/e","version":""`},
		{PutEvent, `{"path":1,"data":{"environments":{}}}`, `{"path":1`},
		{PutEvent, `{"path":"/","data":{"environments":{"e":{]}}}`, `{"path":"/","data":{"environments":{"e":{]`},
		{PutEvent, `{"path":"/","data":{"environments":{"e":{"envID":1}}}}`, `{"path":"/","data":{"environments":{"e":{"envID":1`},
		{PutEvent, `{"path":"/","data":{"environments":1}}`, `{"path":"/","data":{"environments":1`},
		{PutEvent, `{"path":"/"}`, ``},
	} {
		_, err := newDecoder(nil).decode(test.event, []byte(test.data))
		malformed, ok := as[*MalformedError](err)
		if !ok || malformed.Offset != int64(len(test.before)) {
			t.Errorf("%s: %v", test.data, err)
		}
		if cause, ok := as[*json.UnmarshalTypeError](err); ok && cause.Offset != malformed.Offset {
			t.Errorf("%s: the cause is at %d", test.data, cause.Offset)
		}
	}
	for filters, before := range map[string]string{
		`{"f":{"version":"x"}}`: `{"f":{"version":"x"`, `["f"]`: `[`,
	} {
		const start = `{"path":"/","data":{"environments":{},"filters":`
		m, err := newDecoder(nil).decode(PutEvent, []byte(start+filters+`}}`))
		if err != nil {
			t.Fatal(err)
		}
		err = m.Put.FiltersErr
		if err == nil {
			err = m.Put.Filters[0].Err
		}
		if malformed, ok := as[*MalformedError](err); !ok || malformed.Offset != int64(len(start+before)) {
			t.Errorf("%s: %v", filters, err)
		}
	}
}

// TestNesting nests values as deep as encoding/json accepts, and deeper.
func TestNesting(t *testing.T) {
	for _, form := range []string{
		`{"path":"/","data":{"environments":{"e1":{"envID":"e1","x":*}}}}`,
		`{"path":"/","data":{"environments":{},"filters":{"f":*}}}`,
	} {
		accepted := 0
		for depth := range 10 {
			depth += 9_990
			nested := strings.Repeat("[", depth) + strings.Repeat("]", depth)
			data := []byte(strings.Replace(form, "*", nested, 1))
			_, err := newDecoder(nil).decode(PutEvent, data)
			if (err == nil) != json.Valid(data) {
				t.Errorf("%s of depth %d: %v", form, depth, err)
			}
			if err == nil {
				accepted++
			}
		}
		if accepted == 0 || accepted == 10 {
			t.Errorf("%s: the limit of encoding/json is another now", form)
		}
	}
}
