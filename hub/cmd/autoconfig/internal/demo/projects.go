package demo

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/relaystream/autoconfig"
)

// names of projects and of environments.
var (
	projects     = [...]string{"Web Shop", "Mobile App", "Payments", "Warehouse", "Newsletter"}
	environments = [...]string{"Production", "Staging", "Test", "Development", "Preview", "Load Test", "Canary"}
	filters      = [...]string{"frontend", "backend", "beta"}
)

// keyOf returns the key of a name: lower case, with dashes.
func keyOf(name string) string { return strings.ReplaceAll(strings.ToLower(name), " ", "-") }

// beginning is the first configuration.
func (s *scenario) beginning() autoconfig.PutContent {
	content := autoconfig.PutContent{
		Environments: make(map[autoconfig.EnvironmentID]autoconfig.EnvironmentRep),
		Filters:      make(map[autoconfig.FilterID]autoconfig.FilterRep),
	}
	for _, project := range projects {
		for _, name := range environments[:2] {
			e := s.environment(project, name)
			content.Environments[e.EnvID] = e
		}
	}
	id, filter := s.filter()
	content.Filters[id] = filter
	return content
}

// environment returns a new environment of a project.
func (s *scenario) environment(project, name string) autoconfig.EnvironmentRep {
	e := autoconfig.EnvironmentRep{
		EnvID: autoconfig.EnvironmentID(s.hex(24)), EnvKey: keyOf(name), EnvName: name, ProjKey: keyOf(project), ProjName: project,
		MobKey: s.mobileKey(), DefaultTTL: s.rng.IntN(10), Version: 1,
	}
	e.SDKKey.Value = s.sdkKey()
	return e
}

func (s *scenario) filter() (autoconfig.FilterID, autoconfig.FilterRep) {
	project, key := keyOf(pick(s, projects[:])), pick(s, filters[:])
	return autoconfig.FilterID(project + "." + key), autoconfig.FilterRep{ProjKey: project, FilterKey: key, Version: 1}
}

// any returns one of the environments.
func (s *scenario) any() autoconfig.EnvironmentRep {
	content := s.server.Content()
	return content.Environments[pick(s, slices.Sorted(maps.Keys(content.Environments)))]
}

// patch sends one of the environments with a change.
func (s *scenario) patch(change func(e *autoconfig.EnvironmentRep)) {
	e := s.any()
	e.Version++
	change(&e)
	s.server.Patch(e)
}

// rotateSDKKey replaces an SDK key. The old one stays valid for some seconds.
func (s *scenario) rotateSDKKey() {
	s.patch(func(e *autoconfig.EnvironmentRep) {
		e.SDKKey.Expiring = autoconfig.ExpiringKeyRep{Value: e.SDKKey.Value, Timestamp: s.soon()}
		e.SDKKey.Value = s.sdkKey()
		e.SDKKeys = nil
	})
}

func (s *scenario) rotateMobileKey() {
	s.patch(func(e *autoconfig.EnvironmentRep) { e.MobKey, e.MobileKeys = s.mobileKey(), nil })
}

// changeKeys gives an environment several SDK keys, one of which ends in some seconds.
func (s *scenario) changeKeys() {
	s.patch(func(e *autoconfig.EnvironmentRep) {
		end := s.soon()
		e.SDKKey.Expiring = autoconfig.ExpiringKeyRep{}
		e.SDKKeys = []autoconfig.ConcurrentKeyRep[autoconfig.SDKKey]{
			{Key: "default", Value: e.SDKKey.Value}, {Key: "batch-jobs", Value: s.sdkKey()}, {Key: "trial", Value: s.sdkKey(), Expiry: &end},
		}
	})
}

func (s *scenario) rename() {
	s.patch(func(e *autoconfig.EnvironmentRep) { e.EnvName = pick(s, environments[:]) })
}

func (s *scenario) changeSettings() {
	s.patch(func(e *autoconfig.EnvironmentRep) {
		e.SecureMode, e.DefaultTTL = !e.SecureMode, s.rng.IntN(10)
	})
}

// changeFilter adds, changes or deletes a filter.
func (s *scenario) changeFilter() {
	id, filter := s.filter()
	s.filterVersion++ // grows over deletions
	filter.Version = s.filterVersion
	if _, exists := s.server.Content().Filters[id]; exists && s.rng.IntN(2) == 0 {
		s.server.DeleteFilter(id, filter.Version)
		return
	}
	s.server.PatchFilter(id, filter)
}

// soon is a moment some seconds from now, in milliseconds since the Unix epoch.
func (s *scenario) soon() int64 {
	return time.Now().Add(time.Duration(10+s.rng.IntN(50)) * time.Second).UnixMilli()
}

func (s *scenario) sdkKey() autoconfig.SDKKey { return autoconfig.SDKKey("sdk-demo-" + s.hex(12)) }

func (s *scenario) mobileKey() autoconfig.MobileKey {
	return autoconfig.MobileKey("mob-demo-" + s.hex(12))
}

// hex returns so many hexadecimal digits.
func (s *scenario) hex(digits int) string {
	var b strings.Builder
	for range digits {
		fmt.Fprintf(&b, "%x", s.rng.IntN(16))
	}
	return b.String()
}

func pick[T any](s *scenario, from []T) T { return from[s.rng.IntN(len(from))] }
