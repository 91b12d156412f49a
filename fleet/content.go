package fleet

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	"github.com/relaystream/autoconfig/decode"
)

// A census tells which items there are: how many, and the sum of their names without carry. With names that are HMACs,
// two sets of items do not have the same one.
type census struct{ items, sum uint64 }

// enter and leave record that there is an item of the name, or that there is none any more.
func (c *census) enter(name string) { c.items, c.sum = c.items+1, c.sum^number(name) }
func (c *census) leave(name string) { c.items, c.sum = c.items-1, c.sum^number(name) }

// number returns the HMAC in a name, or what fits in.
func number(name string) uint64 {
	mac, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(name, itemPrefix))
	if err != nil || len(mac) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(mac)
}

func (c census) encode() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, c.items), c.sum)
}

func parseCensus(data []byte) (c census, ok bool) {
	if len(data) != 16 {
		return c, false
	}
	return census{binary.BigEndian.Uint64(data), binary.BigEndian.Uint64(data[8:])}, true
}

// A content is what the bucket says of each item.
type content struct {
	byName map[string]*known
	census census // of the items in byName
	listed census // what the bucket says
}

// known is an entry of an item, with its name and sequence.
type known struct {
	entry
	name     string
	sequence uint64
}

func newContent() *content { return &content{byName: make(map[string]*known)} }

// add records an entry.
func (c *content) add(name string, e *entry, sequence uint64) {
	if e.operation == listed {
		c.listed = e.census
	}
	if !strings.HasPrefix(name, itemPrefix) || e.operation == 0 {
		return
	}
	if before := c.byName[name]; before != nil && before.operation == item {
		c.census.leave(name)
	}
	switch e.operation {
	case item:
		c.census.enter(name)
		c.byName[name] = &known{*e, name, sequence}
	case deleted:
		c.byName[name] = &known{*e, name, sequence}
	default:
		delete(c.byName, name)
	}
}

// complete reports whether there are the items that the bucket says there are.
func (c *content) complete() bool { return c.census == c.listed }

// listing returns the items in the order in which they were written.
func (c *content) listing() *decode.Listing {
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

func (c *content) sorted() []*known {
	return slices.SortedFunc(maps.Values(c.byName), func(a, b *known) int { return cmp.Compare(a.sequence, b.sequence) })
}
