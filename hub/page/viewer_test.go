package page_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream/sse"
)

// shown is what a viewer knows: a model of the page's own. It is strict.
type shown struct {
	Environments, Filters map[string]int // versions
	Log                   []uint64       // the numbers of the changes
	Total                 uint64
	History               []shownStatus
	Pulse                 struct {
		Readers struct {
			Total, MaxLag int
			Listed        []struct {
				Lag       int
				UserAgent string
			}
		}
	}
	ready bool
}

type shownStatus struct{ State, Error string }

type shownChange struct {
	Kind     string
	Old, New *struct {
		EnvID, EnvName string
		Version        int
	}
	OldFilter, NewFilter *struct {
		ID      string
		Version int
	}
}

// read applies the events of r until stop, if not nil, reports true after one of them.
func (s *shown) read(t testing.TB, r io.Reader, stop func() bool) {
	t.Helper()
	for event, err := range sse.Scan(r, nil) {
		if err != nil {
			return // the connection was lost
		}
		s.apply(t, event)
		if stop != nil && stop() {
			return
		}
	}
}

func (s *shown) apply(t testing.TB, event sse.Event) {
	t.Helper()
	parse := func(into any) {
		if err := json.Unmarshal(event.Data, into); err != nil {
			t.Errorf("%s: %v", event.Type, err)
		}
	}
	var log struct {
		Total   uint64
		Entries []struct {
			Number uint64
			Change shownChange
		}
	}
	switch event.Type {
	case "hello":
		*s = shown{Environments: make(map[string]int), Filters: make(map[string]int)}
	case "items":
		var changes []shownChange
		parse(&changes)
		for _, c := range changes {
			s.change(t, c)
		}
	case "log", "changes":
		parse(&log)
		for _, e := range log.Entries {
			if n := len(s.Log); n > 0 && s.Log[n-1]+1 != e.Number {
				t.Errorf("change %d follows %d", e.Number, s.Log[n-1])
			}
			s.Log = append(s.Log, e.Number)
			if event.Type == "changes" {
				s.change(t, e.Change)
			}
		}
		if s.Total = log.Total; len(s.Log) > 0 && s.Log[len(s.Log)-1] != s.Total {
			t.Errorf("the last change is %d of %d", s.Log[len(s.Log)-1], s.Total)
		}
	case "history":
		parse(&s.History)
	case "status":
	case "pulse":
		parse(&s.Pulse)
	case "ready":
		s.ready = true
	default:
		t.Errorf("unknown event %q", event.Type)
	}
}

// change applies a change, which must be possible.
func (s *shown) change(t testing.TB, c shownChange) {
	t.Helper()
	add := func(items map[string]int, id string, version int, added bool) {
		if _, exists := items[id]; exists == added {
			t.Errorf("%s: %s, which was there: %t", c.Kind, id, exists)
		}
		items[id] = version
	}
	remove := func(items map[string]int, id string) {
		if _, exists := items[id]; !exists {
			t.Errorf("%s: %s is not there", c.Kind, id)
		}
		delete(items, id)
	}
	switch c.Kind {
	case "environment added", "environment updated", "key expired":
		add(s.Environments, c.New.EnvID, c.New.Version, c.Kind == "environment added")
	case "environment deleted":
		remove(s.Environments, c.Old.EnvID)
	case "filter added", "filter updated":
		add(s.Filters, c.NewFilter.ID, c.NewFilter.Version, c.Kind == "filter added")
	case "filter deleted":
		remove(s.Filters, c.OldFilter.ID)
	case "synced":
	default:
		t.Errorf("unknown change %q", c.Kind)
	}
}

// versions returns what a viewer of the service's content should know.
func versions(content autoconfig.PutContent) (environments, filters map[string]int) {
	environments, filters = make(map[string]int), make(map[string]int)
	for id, e := range content.Environments {
		environments[string(id)] = e.Version
	}
	for id, f := range content.Filters {
		filters[string(id)] = f.Version
	}
	return environments, filters
}

// watch reads the page's events until they show the environment "end", and connects again when asked to, or when the
// connection is lost.
func (s *shown) watch(t testing.TB, url string, leave <-chan struct{}) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for s.Environments["end"] == 0 && ctx.Err() == nil {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"events", nil)
		if err != nil {
			t.Error(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Error(err)
			return
		}
		s.read(t, response.Body, func() bool {
			select {
			case <-leave:
				return true
			default:
				return s.ready && s.Environments["end"] > 0
			}
		})
		_ = response.Body.Close()
	}
}

// TestViewersSeeWhatTheServiceHas changes things at random while viewers come and go. In the end each of them knows what
// the service has, and has seen each change once.
func TestViewersSeeWhatTheServiceHas(t *testing.T) {
	stage := newStage(t, nil)
	defer http.DefaultClient.CloseIdleConnections()
	const viewers = 4
	random := rand.New(rand.NewPCG(1, 2))
	var views [viewers]shown
	leave := make(chan struct{}, 1)
	done := make(chan int, viewers)
	version := 0
	for step := range 400 {
		if step%50 == 0 && step/50 < viewers {
			go func(i int) { views[i].watch(t, stage.url(), leave); done <- i }(step / 50)
		}
		version++
		id := fmt.Sprintf("e%d", random.IntN(20))
		switch n := random.IntN(20); {
		case step == 20 || n == 0:
			content := stage.service.Content()
			maps.DeleteFunc(content.Environments, func(autoconfig.EnvironmentID, autoconfig.EnvironmentRep) bool { return random.IntN(4) == 0 })
			stage.service.Put(content)
		case n < 4:
			stage.service.Delete(autoconfig.EnvironmentID(id), version)
		case n < 6:
			stage.service.PatchFilter(autoconfig.FilterID(id), autoconfig.FilterRep{ProjKey: "p", FilterKey: id, Version: version})
		case n < 7:
			stage.service.DeleteFilter(autoconfig.FilterID(id), version)
		case n < 8:
			select {
			case leave <- struct{}{}: // whoever has just got an event connects again
			default:
			}
		default:
			stage.service.Patch(testkit.Environment(autoconfig.EnvironmentID(id), version))
		}
	}
	stage.service.Patch(testkit.Environment("end", version+1))
	for range viewers {
		i := <-done
		environments, filters := versions(stage.service.Content())
		if diff := cmp.Diff(environments, views[i].Environments) + cmp.Diff(filters, views[i].Filters); diff != "" {
			t.Errorf("viewer %d (-service +shown):\n%s", i, diff)
		}
	}
}

// TestComingBackShowsNothingTwice loses the connection and has a viewer come back, with the same page and with another one
// at the same address.
func TestComingBackShowsNothingTwice(t *testing.T) {
	stage := newStage(t, func(s *stage) { s.service.Put(content(300)) })
	defer http.DefaultClient.CloseIdleConnections()
	look := func() (s shown) {
		response, err := http.Get(stage.url() + "events")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		s.read(t, response.Body, func() bool { return s.ready && len(s.Environments) == 300 && s.Total > 0 })
		return s
	}
	first, again := look(), look()
	stage.stop()
	stage.start()
	restarted := look()
	for name, s := range map[string]shown{"again": again, "restarted": restarted} {
		if diff := cmp.Diff(first.Environments, s.Environments); diff != "" || s.Total != 1 || len(s.Log) != 1 {
			t.Errorf("%s: %d changes, %s", name, s.Total, diff)
		}
	}
}
