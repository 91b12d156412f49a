package decode

import (
	"errors"
	"testing"
)

// TestPutWithoutEnvironments checks that a put without environments is an empty set if it deletes nothing, and
// malformed if it would delete something.
func TestPutWithoutEnvironments(t *testing.T) {
	for _, test := range []struct {
		members   string
		malformed [4]bool // if the receiver holds nothing, an environment, a filter, and if Held is nil
	}{
		{``, [4]bool{false, true, true, true}},
		{`,"data":null`, [4]bool{false, true, true, true}},
		{`,"data":{}`, [4]bool{false, true, true, true}},
		{`,"data":{"environments":null,"filters":null}`, [4]bool{false, true, true, true}},
		{`,"data":{"environments":null,"filters":{}}`, [4]bool{false, true, false, true}},
		{`,"data":{"filters":{"f":{"version":1}}}`, [4]bool{false, true, false, true}},
		{`,"data":{"filters":[]}`, [4]bool{false, true, false, true}}, // filters stay if they cannot be read
		{`,"data":{"environments":{}},"data":null`, [4]bool{false, true, true, true}},
		{`,"data":{"environments":{}}`, [4]bool{}},
	} {
		for i, held := range []func() (environments, filters int){
			func() (environments, filters int) { return 0, 0 },
			func() (environments, filters int) { return 1, 0 },
			func() (environments, filters int) { return 0, 1 },
			nil,
		} {
			m, err := newDecoder(&Options{Held: held}).decode(PutEvent, []byte(`{"path":"/"`+test.members+`}`))
			if errors.Is(err, errNoContent) != test.malformed[i] || err == nil && (m.Kind != Put || m.Put.Environments == nil) {
				t.Errorf("%s, %d: %v, %v", test.members, i, m, err)
			}
		}
	}
}
