package decode

// Event names of the auto-configuration stream.
const (
	// PutEvent is the SSE event name corresponding to PutMessageData.
	PutEvent = "put"
	// PatchEvent is the SSE event name corresponding to PatchMessageData.
	PatchEvent = "patch"
	// DeleteEvent is the SSE event name corresponding to DeleteMessageData.
	DeleteEvent = "delete"
	// ReconnectEvent is the SSE event name of a message that asks the client to drop its connection
	// and to connect again.
	ReconnectEvent = "reconnect"
)

// EnvironmentID identifies an environment. It is not a secret.
type EnvironmentID string

// FilterID identifies a payload filter. It is not a secret.
type FilterID string

// PutMessageData is the JSON data of an SSE message that provides the full configuration.
type PutMessageData struct {
	// Path is always "/" for this message type; a message with another path is ignored.
	Path string `json:"path"`
	// Data contains everything there is.
	Data PutContent `json:"data"`
}

// PutContent is the content of PutMessageData.
type PutContent struct {
	// Environments contains every environment by its ID. Nil is the empty configuration only if that deletes
	// nothing, and makes the message malformed otherwise; see Options.Held.
	Environments map[EnvironmentID]EnvironmentRep `json:"environments"`
	// Filters contains every payload filter by its ID. Only protocol version 2 sends it.
	Filters map[FilterID]FilterRep `json:"filters,omitempty"`
}

// PatchMessageData is the JSON data of an SSE message that adds or changes one environment.
type PatchMessageData struct {
	// Path is "/environments/$ENVID"; the leading slash may be missing.
	Path string `json:"path"`
	// Data is the environment.
	Data EnvironmentRep `json:"data"`
}

// PatchFilterMessageData is the JSON data of an SSE message that adds or changes one filter.
type PatchFilterMessageData struct {
	// Path is "/filters/$FILTERID"; the leading slash may be missing.
	Path string `json:"path"`
	// Data is the filter.
	Data FilterRep `json:"data"`
}

// DeleteMessageData is the JSON data of an SSE message that removes one item.
type DeleteMessageData struct {
	// Path is "/environments/$ENVID" or "/filters/$FILTERID"; the leading slash may be missing.
	Path string `json:"path"`
	// Version must be greater than the last known version of the item.
	Version int `json:"version"`
}

// EnvironmentRep is the wire form of an environment. One that came out of this library is shared
// by all who received it and must not be modified.
type EnvironmentRep struct {
	// EnvID is the environment's ID; it equals the ID in the message's path or map key.
	EnvID EnvironmentID `json:"envID"`
	// EnvKey, EnvName, ProjKey and ProjName name the environment and its project for people.
	EnvKey   string `json:"envKey"`
	EnvName  string `json:"envName"`
	ProjKey  string `json:"projKey"`
	ProjName string `json:"projName"`
	// SDKKey is the current SDK key, and the one that it replaces.
	SDKKey SDKKeyRep `json:"sdkKey"`
	// MobKey is the current mobile key.
	MobKey MobileKey `json:"mobKey"`
	// SDKKeys and MobileKeys, where not empty, are the authoritative sets of accepted keys
	// ("concurrent keys"); they contain SDKKey.Value and MobKey.
	SDKKeys    []ConcurrentKeyRep[SDKKey]    `json:"sdkKeys,omitempty"`
	MobileKeys []ConcurrentKeyRep[MobileKey] `json:"mobileKeys,omitempty"`
	// Lingering are SDK keys that were announced to expire, lost their place in SDKKey.Expiring to a newer key,
	// and are accepted until their Timestamp. They are not on the wire: package decode leaves Lingering nil,
	// and package diff sets it.
	Lingering []ExpiringKeyRep `json:"-"`
	// DefaultTTL is the cache TTL for PHP clients, in minutes.
	DefaultTTL int `json:"defaultTtl"`
	// SecureMode tells that secure mode is required.
	SecureMode bool `json:"secureMode"`
	// Version grows with every change of this environment. It is never negative.
	Version int `json:"version"`
}

// SDKKeyRep is an SDK key, optionally accompanied by an old key that expires.
type SDKKeyRep struct {
	// Value is the current key.
	Value SDKKey `json:"value"`
	// Expiring is the old key, with an empty Value if there is none.
	Expiring ExpiringKeyRep `json:"expiring"`
}

// ExpiringKeyRep is an old key that stays valid for a while.
type ExpiringKeyRep struct {
	// Value is the old key.
	Value SDKKey `json:"value"`
	// Timestamp is when the key expires, in milliseconds since the Unix epoch; 0 means never.
	Timestamp int64 `json:"timestamp"`
}

// ConcurrentKeyRep is one key of an environment that accepts several at a time.
type ConcurrentKeyRep[K SDKKey | MobileKey] struct {
	// Key names the credential for people. It is not a secret.
	Key string `json:"key"`
	// Value is the credential.
	Value K `json:"value"`
	// Expiry is when the key expires, in milliseconds since the Unix epoch; nil and 0 mean never.
	Expiry *int64 `json:"expiry,omitempty"`
	// HasViews tells that the key is restricted to views.
	HasViews bool `json:"hasViews"`
}

// FilterRep is the wire form of a payload filter. Its ID is only in the message's path or map key.
type FilterRep struct {
	// ProjKey is the project that the filter belongs to.
	ProjKey string `json:"projKey"`
	// FilterKey names the filter within its project.
	FilterKey string `json:"key"`
	// Version grows with every change of this filter. It is never negative.
	Version int `json:"version"`
}
