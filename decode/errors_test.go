package decode

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
)

// TestMalformedOffset checks that an offset counts from the beginning of the event.
func TestMalformedOffset(t *testing.T) {
	for _, test := range []struct {
		event, data string
		before      string // what has been read when the error is noticed; empty if the JSON is right
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

// TestReasons checks the reason of each error that is not one in the JSON.
func TestReasons(t *testing.T) {
	put := func(members string) string { return `{"path":"/","data":{"environments":{},` + members + `}}` }
	for _, test := range []struct {
		event, data string
		ignored     bool
		want        error
	}{
		{"other", ``, true, ErrUnknownEvent},
		{ReconnectEvent, ``, false, ErrReconnect},
		{PutEvent, `{"path":"/x"}`, true, ErrPutPath},
		{PutEvent, `{"path":"/"}`, false, errNoContent},
		{PutEvent, put(`"environments":{"e":{"envID":"e","version":-1}}`), false, errNegativeVersion},
		{PutEvent, put(`"environments":{"e":{"envID":"f"}}`), true, ErrWrongID},
		{PutEvent, put(`"environments":{"":{"envID":""}}`), true, ErrWrongID},
		{PutEvent, put(`"filters":{"f":null}`), true, errNoFilter},
		{PutEvent, put(`"filters":{"":{"version":1}}`), true, errNoFilter},
		{PutEvent, put(`"filters":{"f":{"version":-1}}`), true, errNegativeVersion},
		{PatchEvent, `{"path":"/environments"}`, true, ErrUnknownPath},
		{PatchEvent, `{"path":"/environments/"}`, true, ErrUnknownPath},
		{PatchEvent, `{"path":"/environments/e/f"}`, true, ErrUnknownPath},
		{PatchEvent, `{"path":"/environments/e","data":{"envID":"f"}}`, true, ErrWrongID},
		{PatchEvent, `{"path":"/environments/e"}`, true, ErrWrongID},
		{PatchEvent, `{"path":"/environments/e","data":{"version":-1}}`, false, errNegativeVersion},
		{PatchEvent, `{"path":"/filters/f","data":null}`, true, errNoFilter},
		{PatchEvent, `{"path":"/filters/f","data":{"version":-1}}`, true, errNegativeVersion},
		{DeleteEvent, `{"path":"/flags/f","version":1}`, true, ErrUnknownPath},
		{DeleteEvent, `{"path":"/environments/e","version":-1}`, false, errNegativeVersion},
		{DeleteEvent, `{"path":"/filters/f","version":-1}`, true, errNegativeVersion},
	} {
		m, err := newDecoder(nil).decode(test.event, []byte(test.data))
		if test.ignored {
			all := []error{m.Err}
			if m.Put != nil {
				for _, e := range m.Put.Environments {
					all = append(all, e.Err)
				}
				for _, f := range m.Put.Filters {
					all = append(all, f.Err)
				}
			}
			if ignored, ok := as[*IgnoredError](errors.Join(all...)); !ok || ignored.Event != test.event || err != nil {
				t.Errorf("%s %s is not ignored: %v, %v", test.event, test.data, ignored, err)
			}
			err = errors.Join(all...)
		}
		if !errors.Is(err, test.want) {
			t.Errorf("%s %s: %v, want %v", test.event, test.data, err, test.want)
		}
	}
}

// TestErrorsShowNoPayload replaces every value of a message by values that may be keys.
func TestErrorsShowNoPayload(t *testing.T) {
	const filter = `{"projKey":"p","key":"k","version":1}`
	shown := 0
	for event, messages := range map[string][]string{
		PutEvent: {
			`{"path":"/","data":{"environments":{"e1":` + plainEnvironment + `,"e1":` + relayOrder + `},"filters":{"f":` + filter + `}}}`,
		},
		PatchEvent:  {string(patchOf(plainEnvironment)), string(patchOf(relayOrder)), `{"path":"/filters/f","data":` + filter + `}`},
		DeleteEvent: {`{"path":"/environments/e1","version":1}`, `{"path":"/filters/f","version":1}`},
	} {
		for _, message := range messages {
			for _, value := range regexp.MustCompile(`:("[^"]*"|\d+|true|false|[[{])`).FindAllStringSubmatchIndex(message, -1) {
				for _, secret := range []string{`909090909090909090904`, `-9090.90`, `"9090"`, `["9090"]`, `{"9090":"9090"}`, `"90\x9090"`, `909090x`} {
					data := message[:value[2]] + secret + message[value[3]:]
					if strings.ContainsAny(message[value[2]:value[3]], "[{") {
						data = message[:value[2]] + secret + "," + message[value[2]:]
					}
					m, err := newDecoder(nil).decode(event, []byte(data))
					all := []error{err, m.Err}
					if m.Put != nil {
						all = append(all, m.Put.FiltersErr)
						for _, f := range m.Put.Filters {
							all = append(all, f.Err)
						}
					}
					for _, err := range all {
						for ; err != nil; err = errors.Unwrap(err) {
							if shown++; strings.Contains(err.Error(), "9090") && !strings.Contains(data, `"path":"9090"`) {
								t.Errorf("%s: %v", data, err)
							}
						}
					}
				}
			}
		}
	}
	if shown == 0 {
		t.Error("there is no error")
	}
}

// TestNesting nests values as deep as encoding/json accepts, and deeper.
func TestNesting(t *testing.T) {
	for form, event := range map[string]string{
		`{"path":"/","data":{"environments":{"e1":{"envID":"e1","x":*}}}}`: PutEvent,
		`{"path":"/","data":{"environments":{},"filters":{"f":*}}}`:        PutEvent,
		`{"path":"/environments/e1","data":{"envID":"e1","x":*}}`:          PatchEvent,
	} {
		accepted := 0
		for depth := range 10 {
			depth += 9_990
			nested := strings.Repeat("[", depth) + strings.Repeat("]", depth)
			data := []byte(strings.Replace(form, "*", nested, 1))
			_, err := newDecoder(nil).decode(event, data)
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
