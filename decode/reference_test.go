package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
)

// referenceDecode is the meaning of an event by encoding/json alone, as plainly as it can be put.
// What it returns is comparable with summary. With a *RefusedError, a put has a meaning nevertheless.
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

func referencePut(data []byte) (string, error) {
	var m struct {
		Data *struct {
			Environments map[EnvironmentID]EnvironmentRep
			Filters      json.RawMessage
		}
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return "", err
	}
	if m.Data == nil || m.Data.Environments == nil {
		return "", errors.New("no content")
	}
	var refusal error
	all := map[string]string{}
	for id, rep := range m.Data.Environments {
		text, err := referenceEnvironment(id, rep)
		if refused(err) {
			text, refusal, err = "skipped", err, nil
		}
		if err != nil {
			return "", err
		}
		all["environment "+string(id)] = text
	}
	return fmt.Sprint(all), refusal
}

// as is errors.As with the type in its name.
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

// describe shows all of rep, keys included.
func describe(rep *EnvironmentRep) string {
	text, err := json.Marshal(rep)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("%s %t %t", text, rep.SDKKeys == nil, rep.MobileKeys == nil)
}

// summary puts a message in the words of referenceDecode.
func summary(m Message) string {
	switch m.Kind {
	case Put:
		all := map[string]string{}
		for _, e := range m.Put.Environments {
			all["environment "+string(e.ID)] = "skipped"
			if e.Rep != nil {
				all["environment "+string(e.ID)] = describe(e.Rep)
			}
		}
		return fmt.Sprint(all)
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

// FuzzDecode holds decoding to encoding/json: value for value, and an error where that has one.
// Every input is decoded three times by one decoder, so that its memory of earlier ones, and what a
// receiver knows, are part of what must not matter.
func FuzzDecode(f *testing.F) {
	for _, seed := range corpus(f) {
		f.Add(seed.event, seed.data)
	}
	f.Fuzz(func(t *testing.T, event uint8, data []byte) {
		name := [...]string{PutEvent, PatchEvent, DeleteEvent}[event%3]
		original := bytes.Clone(data)
		want, wantErr := referenceDecode(name, data)
		var known *EnvironmentRep
		d := newDecoder(&Options{Known: func([]byte) *EnvironmentRep { return known }})
		for range 3 {
			m, err := d.decode(name, data)
			if (err != nil) != (wantErr != nil) || refused(err) != refused(wantErr) {
				t.Fatalf("error %v, encoding/json: %v", err, wantErr)
			}
			if refused(err) && name == PutEvent {
				err = nil // what else it lists is passed on
			}
			if err == nil && summary(m) != want {
				t.Fatalf("got  %s\nwant %s", summary(m), want)
			}
			if err == nil {
				checkOwned(t, m, data)
				known = m.Environment.Rep
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

// TestFastPathAgrees reads every seed on the strict path alone, too, and demands the same errors by
// type, which the fuzz test, for its plainness, does not look at.
func TestFastPathAgrees(t *testing.T) {
	for _, seed := range corpus(t) {
		name := [...]string{PutEvent, PatchEvent, DeleteEvent}[seed.event%3]
		m, err := newDecoder(nil).decode(name, seed.data)
		// A leading blank is no usual form.
		slow, slowErr := newDecoder(nil).decode(name, append([]byte(" "), seed.data...))
		if reflect.TypeOf(err) != reflect.TypeOf(slowErr) || err == nil && summary(m) != summary(slow) {
			t.Errorf("%s %s:\nfast   %v %v\nstrict %v %v", name, seed.data, m, err, slow, slowErr)
		}
	}
}
