package fleet

import (
	"cmp"
	"maps"
	"slices"

	"github.com/relaystream/autoconfig/decode"
)

// A content is what the bucket says of each item, by the name of the entry.
type content map[string]known

// known is an entry with its sequence.
type known struct {
	entry
	name     string
	sequence uint64
}

// add records an entry of an item.
func (c content) add(name string, e entry, sequence uint64) {
	if e.operation == omitted {
		delete(c, name)
	} else {
		c[name] = known{e, name, sequence}
	}
}

// listing returns the items in the order in which they were written.
func (c content) listing() *decode.Listing {
	l := &decode.Listing{}
	for _, k := range c.sorted() {
		switch m := &k.message; {
		case k.operation != item:
		case m.Filter.ID != "":
			l.Filters = append(l.Filters, m.Filter)
		default:
			l.Environments = append(l.Environments, m.Environment)
		}
	}
	return l
}

func (c content) sorted() []known {
	return slices.SortedFunc(maps.Values(c), func(a, b known) int { return cmp.Compare(a.sequence, b.sequence) })
}
