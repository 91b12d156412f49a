package decode

import (
	"errors"
	"strings"
	"testing"
)

// list returns a list of n equal items.
func list(n int, item string) string { return strings.TrimSuffix(strings.Repeat(item+",", n), ",") }

// putOf returns a put with the given numbers of environments and filters.
func putOf(environments, filters int, space string) string {
	return `{"path":"/",` + space + `"data":{"environments":{` + list(environments, `"e":{"envID":"e"}`) +
		`},"filters":{` + list(filters, `"f":{"version":1}`) + `}}}`
}

// TestListedLimit decodes as many environments and filters as are allowed, and one more.
func TestListedLimit(t *testing.T) {
	if n := newDecoder(nil).in.maxListed; n != 262_144 {
		t.Errorf("the default is %d", n)
	}
	for _, space := range []string{"", " "} {
		for _, limit := range []int{1, 10} {
			decode := func(environments, filters int) (Message, error) {
				return newDecoder(&Options{MaxListed: limit}).decode(PutEvent, []byte(putOf(environments, filters, space)))
			}
			m, err := decode(limit, 0)
			if err != nil || len(m.Put.Environments) != limit {
				t.Errorf("%d environments: %v", limit, err)
			}
			var malformed *MalformedError
			if m, err := decode(limit+1, 0); !errors.As(err, &malformed) || !errors.Is(err, ErrTooMany) || m.Put != nil {
				t.Errorf("%d environments: %v, %v", limit+1, m, err)
			}
			m, err = decode(1, limit)
			if err != nil || m.Put.FiltersErr != nil || len(m.Put.Filters) != limit {
				t.Errorf("%d filters: %v, %v", limit, m, err)
			}
			m, err = decode(1, limit+1)
			if err != nil || !errors.Is(m.Put.FiltersErr, ErrTooMany) || len(m.Put.Filters) != 0 || len(m.Put.Environments) != 1 {
				t.Errorf("%d filters: %v, %v", limit+1, m, err)
			}
		}
	}
}

// TestKeyLimit decodes as many keys of an environment as are allowed, and one more.
func TestKeyLimit(t *testing.T) {
	for _, member := range []string{"sdkKeys", "mobileKeys"} {
		for _, key := range []string{`{"key":"a","value":"k"}`, `{"value":"k"}`} {
			for n, want := range map[int]error{10: nil, 11: ErrTooMany} {
				environment := `{"envID":"e1","sdkKey":{"value":"k"},"mobKey":"k","` + member + `":[` + list(n, key) + `]}`
				for event, data := range map[string]string{
					PatchEvent: `{"path":"/environments/e1","data":` + environment + `}`,
					PutEvent:   `{"path":"/","data":{"environments":{"e1":` + environment + `}}}`,
				} {
					if _, err := newDecoder(&Options{MaxListed: 10}).decode(event, []byte(data)); !errors.Is(err, want) {
						t.Errorf("%s of %d %s: %v", event, n, member, err)
					}
				}
			}
		}
	}
}

// TestListedLimitOfDuplicates checks that the limit applies to all members of one name together, and that null does
// not change it.
func TestListedLimitOfDuplicates(t *testing.T) {
	for _, data := range []string{
		`{"path":"/","data":{"environments":{"a":{"envID":"a"}},"environments":{"b":{"envID":"b"}}}}`,
		`{"path":"/","data":{"environments":null,"environments":{"a":{"envID":"a"},"b":{"envID":"b"}}}}`,
		`{"path":"/","data":null,"data":{"environments":{"a":{"envID":"a"},"b":{"envID":"b"}}}}`,
	} {
		if _, err := newDecoder(&Options{MaxListed: 1}).decode(PutEvent, []byte(data)); !errors.Is(err, ErrTooMany) {
			t.Errorf("%s: %v", data, err)
		}
	}
	m, err := newDecoder(&Options{MaxListed: 1}).decode(PutEvent,
		[]byte(`{"path":"/","data":null,"data":{"environments":{},"filters":{"a":{"version":1},"b":{"version":1}}}}`))
	if err != nil || !errors.Is(m.Put.FiltersErr, ErrTooMany) {
		t.Errorf("filters after a null: %v, %v", m, err)
	}
	many := strings.Replace(putOf(DefaultMaxListed+1, 0, ""), `"data":`, `"data":null,"data":`, 1)
	if _, err := newDecoder(&Options{MaxListed: DefaultMaxListed + 1}).decode(PutEvent, []byte(many)); err != nil {
		t.Errorf("more than the default after a null: %v", err)
	}
}
