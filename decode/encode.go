package decode

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
)

// errNoForm reports a message that no event carries.
var errNoForm = errors.New("decode: the message has no form on the wire: it is none of Put, Patch and Delete, or an entry has no Rep")

// encodedSize is about how many bytes an environment takes in a put. A filter takes a quarter of it.
const encodedSize = 400

// AppendData appends the JSON data of the event that decodes as m, whose name is m.Kind.String(), and returns the
// extended buffer. It is the reverse of Messages: the data is one line, byte for byte what encoding/json writes without
// the escaping for HTML, but that the members of a put have the order of the Listing, with those of Unchanged behind
// the other environments. A Listing without filters is what protocol version 1 sends. What is not on the wire, such as
// EnvironmentRep.Lingering, is left out.
//
// The error is the cause of ctx, which is checked before each entry of a put, or reports that no event carries m: it is
// Ignored, or an entry of a Put or Patch has no Rep.
func (m *Message) AppendData(ctx context.Context, b []byte) ([]byte, error) {
	switch {
	case m.Kind == Put && m.Put != nil:
		return m.Put.appendData(ctx, b)
	case m.Kind == Patch && m.Environment.Rep != nil:
		b = appendPath(b, environmentsPath, string(m.Environment.ID))
		b = m.Environment.Rep.appendJSON(append(b, `,"data":`...))
	case m.Kind == Patch && m.Filter.Rep != nil:
		b = appendPath(b, filtersPath, string(m.Filter.ID))
		b = m.Filter.Rep.appendJSON(append(b, `,"data":`...))
	case m.Kind == Delete && m.Filter.ID != "":
		b = appendPath(b, filtersPath, string(m.Filter.ID))
		b = strconv.AppendInt(append(b, `,"version":`...), int64(m.Filter.Version), 10)
	case m.Kind == Delete:
		b = appendPath(b, environmentsPath, string(m.Environment.ID))
		b = strconv.AppendInt(append(b, `,"version":`...), int64(m.Environment.Version), 10)
	default:
		return b, errNoForm
	}
	return append(b, '}'), nil
}

func appendPath(b []byte, kind, id string) []byte {
	return appendString(append(b, `{"path":`...), "/"+kind+id)
}

func (l *Listing) appendData(ctx context.Context, b []byte) ([]byte, error) {
	b = slices.Grow(b, encodedSize*(l.Len()+len(l.Filters)/4))
	b = append(b, `{"path":"/","data":{"environments":{`...)
	b, err := appendEntries(ctx, b, l.all(), (*EnvironmentRep).appendJSON)
	if err == nil && len(l.Filters) > 0 {
		b, err = appendEntries(ctx, append(b, `},"filters":{`...), l.Filters, (*FilterRep).appendJSON)
	}
	return append(b, `}}}`...), err
}

func appendEntries[ID EnvironmentID | FilterID, Rep any](
	ctx context.Context, b []byte, entries []Entry[ID, Rep], appendJSON func(*Rep, []byte) []byte,
) ([]byte, error) {
	for i := range entries {
		if err := context.Cause(ctx); err != nil {
			return b, err
		}
		e := &entries[i]
		if e.Rep == nil {
			return b, errNoForm
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(e.Rep, append(appendString(b, string(e.ID)), ':'))
	}
	return b, nil
}

func (r *EnvironmentRep) appendJSON(b []byte) []byte {
	b = appendString(append(b, `{"envID":`...), string(r.EnvID))
	b = appendString(append(b, `,"envKey":`...), r.EnvKey)
	b = appendString(append(b, `,"envName":`...), r.EnvName)
	b = appendString(append(b, `,"projKey":`...), r.ProjKey)
	b = appendString(append(b, `,"projName":`...), r.ProjName)
	b = appendString(append(b, `,"sdkKey":{"value":`...), string(r.SDKKey.Value))
	b = appendString(append(b, `,"expiring":{"value":`...), string(r.SDKKey.Expiring.Value))
	b = strconv.AppendInt(append(b, `,"timestamp":`...), r.SDKKey.Expiring.Timestamp, 10)
	b = appendString(append(b, `}},"mobKey":`...), string(r.MobKey))
	b = appendKeys(b, `,"sdkKeys":`, r.SDKKeys)
	b = appendKeys(b, `,"mobileKeys":`, r.MobileKeys)
	b = strconv.AppendInt(append(b, `,"defaultTtl":`...), int64(r.DefaultTTL), 10)
	b = strconv.AppendBool(append(b, `,"secureMode":`...), r.SecureMode)
	b = strconv.AppendInt(append(b, `,"version":`...), int64(r.Version), 10)
	return append(b, '}')
}

// appendKeys appends a member unless there are no keys.
func appendKeys[K SDKKey | MobileKey](b []byte, name string, keys []ConcurrentKeyRep[K]) []byte {
	if len(keys) == 0 {
		return b
	}
	b = append(b, name...)
	before := byte('[')
	for i := range keys {
		k := &keys[i]
		b = appendString(append(append(b, before), `{"key":`...), k.Key)
		b = appendString(append(b, `,"value":`...), string(k.Value))
		if k.Expiry != nil {
			b = strconv.AppendInt(append(b, `,"expiry":`...), *k.Expiry, 10)
		}
		b = append(strconv.AppendBool(append(b, `,"hasViews":`...), k.HasViews), '}')
		before = ','
	}
	return append(b, ']')
}

func (r *FilterRep) appendJSON(b []byte) []byte {
	b = appendString(append(b, `{"projKey":`...), r.ProjKey)
	b = appendString(append(b, `,"key":`...), r.FilterKey)
	return append(strconv.AppendInt(append(b, `,"version":`...), int64(r.Version), 10), '}')
}

// appendString appends s in quotes. Text that isn't plain ASCII is left to encoding/json.
func appendString(b []byte, s string) []byte {
	before := len(b)
	b = append(append(b, '"'), s...)
	if plainASCII(b[before+1:]) == len(s) {
		return append(b, '"')
	}
	buffer := bytes.NewBuffer(b[:before])
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s) // a string has a JSON form, and a bytes.Buffer reports no error
	b = buffer.Bytes()
	return b[:len(b)-1] // without the line feed
}
