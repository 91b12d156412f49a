package diff

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/relaystream/autoconfig/decode"
)

// A Field is one difference between the item before a change and the item after it.
type Field struct {
	// Path names the field as Go does, such as "SDKKey.Expiring.Timestamp" or "SDKKeys[0]".
	Path string `json:"path"`
	// Old and New are the values, keys masked. A value that does not exist is empty.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
}

// Fields lists what differs between the items of c. An item that was added or deleted differs from
// the empty one. Fields is for people to read: it costs far more than the change itself.
func (c Change) Fields() []Field {
	var r reporter
	switch c.Kind {
	case EnvironmentAdded, EnvironmentUpdated, EnvironmentDeleted, KeyExpired:
		cmp.Equal(withLists(c.Old), withLists(c.New), cmp.Reporter(&r))
	case FilterAdded, FilterUpdated, FilterDeleted:
		cmp.Equal(filterRep(c.OldFilter), filterRep(c.NewFilter), cmp.Reporter(&r))
	}
	return r.fields
}

// withLists returns e, or the empty environment, with no list that is nil: package cmp reports those as a
// difference from an empty one.
func withLists(e *decode.EnvironmentRep) decode.EnvironmentRep {
	var item decode.EnvironmentRep
	if e != nil {
		item = *e
	}
	item.SDKKeys = append([]decode.ConcurrentKeyRep[decode.SDKKey]{}, item.SDKKeys...)
	item.MobileKeys = append([]decode.ConcurrentKeyRep[decode.MobileKey]{}, item.MobileKeys...)
	item.Lingering = append([]decode.ExpiringKeyRep{}, item.Lingering...)
	return item
}

func filterRep(f *Filter) decode.FilterRep {
	if f == nil {
		return decode.FilterRep{}
	}
	return f.FilterRep
}

// A reporter collects the differences that cmp finds; it has the methods of a cmp.Reporter.
type reporter struct {
	path   cmp.Path
	fields []Field
}

func (r *reporter) PushStep(step cmp.PathStep) { r.path = append(r.path, step) }

func (r *reporter) PopStep() { r.path = r.path[:len(r.path)-1] }

func (r *reporter) Report(result cmp.Result) {
	if result.Equal() {
		return
	}
	before, after := r.path.Last().Values()
	r.fields = append(r.fields, Field{Path: r.name(), Old: show(before), New: show(after)})
}

// name returns the path without the type that it starts from, and without dereferences.
func (r *reporter) name() string {
	var b strings.Builder
	for _, step := range r.path[1:] {
		switch step := step.(type) {
		case cmp.SliceIndex:
			before, after := step.SplitKeys()
			fmt.Fprintf(&b, "[%d]", max(before, after)) // -1 on the side that lacks it
		case cmp.Indirect:
		default:
			b.WriteString(step.String())
		}
	}
	return strings.TrimPrefix(b.String(), ".")
}

// show returns the value as package fmt shows it, which masks keys.
func show(v reflect.Value) string {
	for v.IsValid() && v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if !v.IsValid() {
		return ""
	}
	return fmt.Sprint(v.Interface())
}
