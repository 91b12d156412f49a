package diff

import (
	"encoding/json"
	"time"

	"github.com/relaystream/autoconfig/decode"
)

// The JSON of a change is for people and logs: keys are masked, so a change cannot be read back.

type jsonChange struct {
	Kind      Kind             `json:"kind"`
	Cached    bool             `json:"cached,omitempty"`
	Partial   bool             `json:"partial,omitempty"`
	Omitted   bool             `json:"omitted,omitempty"`
	Version   int              `json:"version,omitempty"`
	Key       *jsonKey         `json:"key,omitempty"`
	Old       *jsonEnvironment `json:"old,omitempty"`
	New       *jsonEnvironment `json:"new,omitempty"`
	OldFilter *jsonFilter      `json:"oldFilter,omitempty"`
	NewFilter *jsonFilter      `json:"newFilter,omitempty"`
}

type jsonEnvironment struct {
	EnvID    decode.EnvironmentID `json:"envID"`
	EnvKey   string               `json:"envKey"`
	EnvName  string               `json:"envName"`
	ProjKey  string               `json:"projKey"`
	ProjName string               `json:"projName"`
	Version  int                  `json:"version"`
	Keys     []jsonKey            `json:"keys,omitempty"`
	TTL      int                  `json:"defaultTtl,omitempty"`
	Secure   bool                 `json:"secureMode,omitempty"`
}

type jsonFilter struct {
	ID decode.FilterID `json:"id"`
	decode.FilterRep
}

type jsonKey struct {
	SDKKey    string    `json:"sdkKey,omitempty"`
	MobileKey string    `json:"mobileKey,omitempty"`
	Expiry    time.Time `json:"expiry,omitzero"`
}

// MarshalJSON implements json.Marshaler. It gives the kind in words, and of each item the IDs, names,
// settings and version, and the accepted keys, masked. Nothing reads it back.
func (c Change) MarshalJSON() ([]byte, error) {
	j := jsonChange{
		Kind: c.Kind, Cached: c.Cached, Partial: c.Partial, Omitted: c.Omitted, Version: c.Version,
		Old: maskEnvironment(c.Old), New: maskEnvironment(c.New),
		OldFilter: (*jsonFilter)(c.OldFilter), NewFilter: (*jsonFilter)(c.NewFilter),
	}
	if c.Key != nil {
		key := maskKey(*c.Key)
		j.Key = &key
	}
	return json.Marshal(j)
}

func maskEnvironment(e *decode.EnvironmentRep) *jsonEnvironment {
	if e == nil {
		return nil
	}
	j := &jsonEnvironment{
		EnvID: e.EnvID, EnvKey: e.EnvKey, EnvName: e.EnvName, ProjKey: e.ProjKey, ProjName: e.ProjName, Version: e.Version,
		TTL: e.DefaultTTL, Secure: e.SecureMode,
	}
	for _, k := range e.AcceptedKeys() {
		j.Keys = append(j.Keys, maskKey(k))
	}
	return j
}

func maskKey(k Key) jsonKey {
	return jsonKey{SDKKey: k.SDKKey.String(), MobileKey: k.MobileKey.String(), Expiry: k.Expiry.UTC()}
}
