package decode

import (
	"errors"
	"testing"
)

// TestPutWithoutEnvironments is an empty set where it deletes nothing, and malformed where it deletes something.
func TestPutWithoutEnvironments(t *testing.T) {
	for _, test := range []struct {
		members   string
		malformed [4]bool // if nothing is held, environments, filters, and if that is unknown
	}{
		{``, [4]bool{false, true, true, true}},
		{`,"data":null`, [4]bool{false, true, true, true}},
		{`,"data":{}`, [4]bool{false, true, true, true}},
		{`,"data":{"environments":null,"filters":null}`, [4]bool{false, true, true, true}},
		{`,"data":{"environments":null,"filters":{}}`, [4]bool{false, true, false, true}},
		{`,"data":{"filters":{"f":{"version":1}}}`, [4]bool{false, true, false, true}},
		{`,"data":{"filters":[]}`, [4]bool{false, true, false, true}}, // filters that can't be read stay
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
