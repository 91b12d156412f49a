package fleet

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/internal/seal"
	"github.com/relaystream/autoconfig/internal/snapshot"
)

// The names in the bucket. That of an item is itemPrefix and an HMAC of its kind and ID.
const (
	leaseName  = "lease"
	syncedName = "synced"
	listedName = "listed"
	itemPrefix = "item."
)

// An operation is what an entry says.
type operation byte

const (
	item    operation = iota + 1 // an item
	deleted                      // that an item was deleted at a version
	omitted                      // that a put omitted an item
	synced                       // that all before it is a complete configuration
	listed                       // which items there are
	leased                       // who holds the lease
)

// An entry is the content of a message in the bucket. As plaintext it is
//
//	operation, life (a varint), and
//	of an item:    its snapshot
//	of a deleted:  'e' or 'f' for environment or filter, the version (a varint), the ID
//	of an omitted: 'e' or 'f', the ID
//	of a listed:   the census
//	of a leased:   the holder
type entry struct {
	operation operation
	// life tells one life of an item from the next: it is the number of the configuration in which the item began
	// to exist. Of a synced it is the number of the configuration.
	life    uint64
	message decode.Message // a Patch, Delete or Omit
	census  census
	holder  string
}

// errEntry reports an entry that was not sealed for its place, or is damaged.
var errEntry = errors.New("fleet: damaged entry in the bucket")

var entryFormat = seal.Format{Magic: "acf", Version: 1, Context: "github.com/relaystream/autoconfig/fleet entry 1"}

// A codec seals and opens the entries of one bucket. It is not safe for concurrent use.
type codec struct {
	bucket string
	sealer *seal.Sealer
	names  []byte // the key of the names' HMAC
}

func newCodec(bucket, secret string) (*codec, error) {
	names, err := hkdf.Key(sha256.New, []byte(secret), nil, "github.com/relaystream/autoconfig/fleet names 1 "+bucket, sha256.Size)
	if err != nil {
		return nil, err
	}
	return &codec{bucket: bucket, sealer: seal.New(entryFormat, secret), names: names}, nil
}

// about is what binds an entry to its place.
func (c *codec) about(name string) string { return c.bucket + "." + name }

// name returns the name of the entry of an item.
func (c *codec) name(subject diff.Subject) string {
	kind, id := kindAndID(subject)
	mac := hmac.New(sha256.New, c.names)
	mac.Write([]byte{kind})
	mac.Write([]byte(id))
	return itemPrefix + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

func kindAndID(subject diff.Subject) (kind byte, id string) {
	if subject.Filter != "" {
		return 'f', string(subject.Filter)
	}
	return 'e', string(subject.Environment)
}

// seal returns a sealed entry. What follows the life depends on the operation.
func (c *codec) seal(name string, o operation, life uint64, rest ...[]byte) ([]byte, error) {
	plain := binary.AppendUvarint([]byte{byte(o)}, life)
	return c.sealer.Seal(append(plain, bytes.Join(rest, nil)...), c.about(name))
}

// change seals what a change says of its item.
func (c *codec) change(ctx context.Context, name string, life uint64, change *diff.Change) ([]byte, error) {
	kind, id := kindAndID(change.Subject())
	switch present := change.New != nil || change.NewFilter != nil; {
	case !present && change.Omitted:
		return c.seal(name, omitted, life, []byte{kind}, []byte(id))
	case !present:
		return c.seal(name, deleted, life, []byte{kind}, binary.AppendUvarint(nil, uint64(change.Version)), []byte(id))
	}
	added := diff.Change{Kind: diff.EnvironmentAdded, New: change.New, NewFilter: change.NewFilter}
	if kind == 'f' {
		added.Kind = diff.FilterAdded
	}
	text, err := snapshot.Encode(ctx, []diff.Change{added})
	if err != nil {
		return nil, err
	}
	return c.seal(name, item, life, text)
}

// open returns the entry of that name. The error matches ErrKey or errEntry, or is the cause of ctx.
func (c *codec) open(ctx context.Context, name string, data []byte) (e entry, err error) {
	plain, err := c.sealer.Open(data, c.about(name))
	if errors.Is(err, seal.ErrForeign) {
		return e, ErrKey
	}
	if err != nil || len(plain) == 0 {
		return e, fmt.Errorf("%w: %s", errEntry, name)
	}
	life, n := binary.Uvarint(plain[1:])
	if n <= 0 {
		return e, fmt.Errorf("%w: %s", errEntry, name)
	}
	e = entry{operation: operation(plain[0]), life: life}
	rest, ok := plain[1+n:], true
	switch e.operation {
	case item:
		e.message, ok = itemMessage(ctx, rest)
	case deleted, omitted:
		e.message, ok = deletion(e.operation, rest)
	case listed:
		e.census, ok = parseCensus(rest)
	case leased:
		e.holder = string(rest)
	case synced:
	default:
		ok = false
	}
	switch {
	case ctx.Err() != nil:
		return entry{}, context.Cause(ctx)
	case !ok:
		return entry{}, fmt.Errorf("%w: %s", errEntry, name)
	}
	return e, nil
}

// itemMessage returns the Patch with the one item of a snapshot.
func itemMessage(ctx context.Context, text []byte) (m decode.Message, ok bool) {
	l, err := snapshot.Decode(ctx, text)
	if err != nil || len(l.Environments)+len(l.Filters) != 1 {
		return m, false
	}
	m.Kind = decode.Patch
	if len(l.Filters) == 1 {
		m.Filter = l.Filters[0]
		return m, m.Filter.Err == nil
	}
	m.Environment = l.Environments[0]
	return m, m.Environment.Err == nil
}

// deletion returns the Delete or Omit of a deleted or omitted entry.
func deletion(o operation, rest []byte) (m decode.Message, ok bool) {
	if len(rest) == 0 {
		return m, false
	}
	kind, rest := rest[0], rest[1:]
	m.Kind = decode.Omit
	version := 0
	if o == deleted {
		m.Kind = decode.Delete
		v, n := binary.Uvarint(rest)
		if n <= 0 {
			return m, false
		}
		version, rest = int(v), rest[n:]
	}
	if kind == 'f' {
		m.Filter = decode.FilterEntry{ID: decode.FilterID(rest), Version: version}
	} else {
		m.Environment = decode.EnvironmentEntry{ID: decode.EnvironmentID(rest), Version: version}
	}
	return m, len(rest) > 0 && version >= 0
}
