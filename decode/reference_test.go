package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// referenceDecode decodes an event with encoding/json, as plainly as possible. It returns what summary returns for
// the message. The result is valid beside a *RefusedError if the event is a put.
func referenceDecode(event string, data []byte) (string, error) {
	var head struct {
		Path string `json:"path"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return "", err
	}
	switch event {
	case PutEvent:
		if head.Path != "/" {
			return "ignored", nil
		}
		return referencePut(data)
	case PatchEvent:
		if id, ok := itemID(head.Path, filtersPath); ok {
			var m struct{ Data *FilterRep }
			if err := json.Unmarshal(data, &m); err != nil || m.Data == nil || m.Data.Version < 0 {
				return "ignored", nil
			}
			return fmt.Sprintf("patch filter %q %#v", id, *m.Data), nil
		}
		id, ok := itemID(head.Path, environmentsPath)
		if !ok {
			return "ignored", nil
		}
		var m PatchMessageData
		if err := json.Unmarshal(data, &m); err != nil {
			return "", err
		}
		text, err := referenceEnvironment(EnvironmentID(id), m.Data)
		if text == "skipped" {
			return "ignored", err
		}
		return "patch environment " + text, err
	default:
		var m DeleteMessageData
		err := json.Unmarshal(data, &m)
		if err == nil && m.Version < 0 {
			err = errors.New("negative")
		}
		if id, ok := itemID(head.Path, filtersPath); ok {
			if err != nil {
				return "ignored", nil
			}
			return fmt.Sprintf("delete filter %q %d", id, m.Version), nil
		}
		id, ok := itemID(head.Path, environmentsPath)
		if !ok {
			return "ignored", nil
		}
		return fmt.Sprintf("delete environment %q %d", id, m.Version), err
	}
}

// referencePut decodes a put twice: for the items, and for their order, which a map does not keep.
func referencePut(data []byte) (string, error) {
	var m struct {
		Data *struct {
			Environments map[EnvironmentID]EnvironmentRep
			Filters      referenceFilters
		}
	}
	var order struct {
		Data *struct{ Environments, Filters memberOrder }
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return "", err
	}
	if m.Data == nil || m.Data.Environments == nil {
		return "", errors.New("no content")
	}
	if err := json.Unmarshal(data, &order); err != nil {
		return "", err
	}
	var refusal error
	var all []string
	for _, id := range order.Data.Environments {
		text, err := referenceEnvironment(EnvironmentID(id), m.Data.Environments[EnvironmentID(id)])
		if refused(err) {
			text, refusal, err = "skipped", err, nil
		}
		if err != nil {
			return "", err
		}
		all = append(all, "environment "+id+" "+text)
	}
	for _, id := range order.Data.Filters {
		var rep *FilterRep
		text := "skipped"
		if err := json.Unmarshal(m.Data.Filters.all[id], &rep); err == nil && rep != nil && rep.Version >= 0 && id != "" {
			text = fmt.Sprintf("%#v", *rep)
		}
		all = append(all, "filter "+id+" "+text)
	}
	return fmt.Sprintf("%q %t", all, m.Data.Filters.bad), refusal
}

// referenceError returns the error of encoding/json about an event.
func referenceError(event string, data []byte) error {
	var head struct {
		Path string `json:"path"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return err
	}
	_, isFilter := itemID(head.Path, filtersPath)
	_, isEnvironment := itemID(head.Path, environmentsPath)
	switch {
	case event == PutEvent && head.Path == "/":
		var m struct {
			Data struct {
				Environments map[EnvironmentID]EnvironmentRep `json:"environments"`
			} `json:"data"`
		}
		return json.Unmarshal(data, &m)
	case event == PatchEvent && isFilter:
		return json.Unmarshal(data, new(PatchFilterMessageData))
	case event == PatchEvent && isEnvironment:
		return json.Unmarshal(data, new(PatchMessageData))
	case event == DeleteEvent && (isFilter || isEnvironment):
		return json.Unmarshal(data, new(DeleteMessageData))
	}
	return nil
}

// checkError checks that err contains the same error in the JSON as want, which comes from encoding/json.
func checkError(t *testing.T, err, want error) {
	t.Helper()
	syntax, isSyntax := as[*json.SyntaxError](err)
	mistake, isMistake := as[*json.UnmarshalTypeError](err)
	switch want := want.(type) {
	case nil:
		if isSyntax || isMistake {
			t.Errorf("%v, want no error about JSON", err)
		}
	case *json.SyntaxError:
		if !isSyntax || syntax.Offset != want.Offset {
			t.Errorf("%v, want %v at byte %d", err, want, want.Offset)
		}
	case *json.UnmarshalTypeError:
		value, _, _ := strings.Cut(want.Value, " ") // encoding/json appends a number
		if !isMistake || mistake.Offset != want.Offset || mistake.Field != want.Field || mistake.Value != value ||
			mistake.Type.Kind() != want.Type.Kind() || want.Struct != "" && mistake.Struct != want.Struct {
			t.Errorf("%v, want %v at byte %d", err, want, want.Offset)
		}
	default:
		t.Errorf("%T", want)
	}
}

// referenceFilters decodes filters one by one, so that an error affects one filter.
type referenceFilters struct {
	all map[string]json.RawMessage
	bad bool
}

func (f *referenceFilters) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		f.bad = false
	}
	f.bad = json.Unmarshal(data, &f.all) != nil || f.bad
	return nil
}

// memberOrder is the names of the members of an object in the order of their last occurrence.
type memberOrder []string

func (o *memberOrder) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*o = nil
	}
	if data[0] != '{' {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		*o = append(slices.DeleteFunc(*o, func(other string) bool { return other == name }), name.(string))
		if err := dec.Decode(new(json.RawMessage)); err != nil {
			return err
		}
	}
	return nil
}

// as is errors.As with a type parameter.
func as[E error](err error) (e E, ok bool) {
	ok = errors.As(err, &e)
	return e, ok
}

func refused(err error) bool {
	_, ok := as[*RefusedError](err)
	return ok
}

func referenceEnvironment(id EnvironmentID, rep EnvironmentRep) (string, error) {
	switch {
	case rep.Version < 0:
		return "", errors.New("negative")
	case rep.EnvID != id || id == "":
		return "skipped", nil
	}
	if err := rep.check(); err != nil {
		return "", err
	}
	return describe(&rep), nil
}

// describe returns a text with all fields of rep, keys included.
func describe(rep *EnvironmentRep) string {
	text, err := json.Marshal(rep)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("%s %t %t", text, rep.SDKKeys == nil, rep.MobileKeys == nil)
}

// summary returns a text with all that a message says.
func summary(m Message) string {
	switch m.Kind {
	case Put:
		all := append(entries("environment", m.Put.all(), describe),
			entries("filter", m.Put.Filters, func(rep *FilterRep) string { return fmt.Sprintf("%#v", *rep) })...)
		return fmt.Sprintf("%q %t", all, m.Put.FiltersErr != nil)
	case Patch:
		if m.Environment.ID != "" {
			return "patch environment " + describe(m.Environment.Rep)
		}
		return fmt.Sprintf("patch filter %q %#v", string(m.Filter.ID), *m.Filter.Rep)
	case Delete:
		if m.Environment.ID != "" {
			return fmt.Sprintf("delete environment %q %d", string(m.Environment.ID), m.Environment.Version)
		}
		return fmt.Sprintf("delete filter %q %d", string(m.Filter.ID), m.Filter.Version)
	default:
		return "ignored"
	}
}

// unordered sorts the items in the summary of a put.
func unordered(summary string) string {
	items := strings.Split(strings.NewReplacer(`["`, `["" "`, `"]`, `" ""]`).Replace(summary), `" "`)
	slices.Sort(items)
	return strings.Join(items, `" "`)
}

// entries returns a text for each entry that no later one supersedes.
func entries[ID EnvironmentID | FilterID, Rep any](kind string, list []Entry[ID, Rep], describe func(*Rep) string) (all []string) {
	for i, e := range list {
		if slices.ContainsFunc(list[i+1:], func(later Entry[ID, Rep]) bool { return later.ID == e.ID }) {
			continue
		}
		text := "skipped"
		if e.Rep != nil {
			text = describe(e.Rep)
		}
		all = append(all, kind+" "+string(e.ID)+" "+text)
	}
	return all
}

// FuzzDecode compares decoding with encoding/json: the values, and the errors with their offsets. One decoder decodes
// every input three times, because neither its state nor Options.Known may affect the result.
func FuzzDecode(f *testing.F) {
	for _, seed := range corpus(f) {
		f.Add(seed.event, seed.data)
	}
	f.Fuzz(func(t *testing.T, event uint8, data []byte) {
		name := [...]string{PutEvent, PatchEvent, DeleteEvent}[event%3]
		original := bytes.Clone(data)
		want, wantErr := referenceDecode(name, data)
		wantJSONErr := referenceError(name, data)
		known := receiver{}
		d := newDecoder(&Options{Known: known.find})
		for range 3 {
			m, err := d.decode(name, data)
			if (err != nil) != (wantErr != nil) || refused(err) != refused(wantErr) {
				t.Fatalf("error %v, encoding/json: %v", err, wantErr)
			}
			if err != nil && name != PutEvent && !reflect.DeepEqual(m, Message{}) {
				t.Fatalf("%s beside %v", m, err)
			}
			checkError(t, errors.Join(err, m.Err), wantJSONErr)
			if refused(err) && name == PutEvent {
				err = nil // the message is valid
			}
			got, want := summary(m), want
			if m.Put != nil && m.Put.Unchanged.Len() > 0 {
				got, want = unordered(got), unordered(want) // the order between the two lists is not kept
			}
			if err == nil && got != want {
				t.Fatalf("got  %s\nwant %s", got, want)
			}
			if err == nil {
				checkOwned(t, m, data)
				known.receive(m)
			}
		}
		if !bytes.Equal(data, original) {
			t.Fatal("the event was modified")
		}
	})
}

// checkOwned fails if m refers to data.
func checkOwned(t *testing.T, m Message, data []byte) {
	before := summary(m)
	saved := bytes.Clone(data)
	for i := range data {
		data[i] = 'X'
	}
	after := summary(m)
	copy(data, saved)
	if before != after {
		t.Fatal("the message changes with the buffer it was read from")
	}
}

// TestFastPathAgrees compares the fast path with the general path: the values, and the types of the errors.
func TestFastPathAgrees(t *testing.T) {
	for _, seed := range corpus(t) {
		name := [...]string{PutEvent, PatchEvent, DeleteEvent}[seed.event%3]
		m, err := newDecoder(nil).decode(name, seed.data)
		slow, slowErr := newDecoder(nil).decode(name, unusual(seed.data))
		if reflect.TypeOf(err) != reflect.TypeOf(slowErr) || err == nil && summary(m) != summary(slow) {
			t.Errorf("%s %s:\nfast    %v %v\ngeneral %v %v", name, seed.data, m, err, slow, slowErr)
		}
	}
}
