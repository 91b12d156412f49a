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
//
// It is masked like EnvironmentRep.
type PutMessageData struct {
	// Path is always "/". A message with another path is ignored.
	Path string `json:"path"`
	// Data is the configuration.
	Data PutContent `json:"data"`
}

// PutContent is the configuration in a PutMessageData.
//
// It is masked like EnvironmentRep.
type PutContent struct {
	// Environments contains every environment by its ID. Nil makes the message malformed if an empty
	// configuration would delete something; see Options.Held.
	Environments map[EnvironmentID]EnvironmentRep `json:"environments"`
	// Filters contains every payload filter by its ID. Only protocol version 2 sends it.
	Filters map[FilterID]FilterRep `json:"filters,omitempty"`
}

// PatchMessageData is the JSON data of an SSE message that adds or changes one environment.
//
// It is masked like EnvironmentRep.
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

// EnvironmentRep is the wire form of an environment. An EnvironmentRep that this library passes on is shared and
// must not be modified.
//
// Every verb of package fmt shows its fields with the keys masked, and package slog shows its ID, names and
// version only. encoding/json shows the real keys, and so does slog.JSONHandler for a slice, a map or a struct
// of another package with an EnvironmentRep in it.
type EnvironmentRep struct {
	// EnvID is the ID of the environment. It equals the ID in the message's path or map key.
	EnvID EnvironmentID `json:"envID"`
	// EnvKey, EnvName, ProjKey and ProjName identify the environment and its project to people.
	EnvKey   string `json:"envKey"`
	EnvName  string `json:"envName"`
	ProjKey  string `json:"projKey"`
	ProjName string `json:"projName"`
	// SDKKey is the current SDK key, and the one that it replaces.
	SDKKey SDKKeyRep `json:"sdkKey"`
	// MobKey is the current mobile key.
	MobKey MobileKey `json:"mobKey"`
	// SDKKeys and MobileKeys are the sets of accepted keys ("concurrent keys"). A set that is not empty is
	// complete: it contains SDKKey.Value or MobKey, and no other key of its type is accepted.
	SDKKeys    []ConcurrentKeyRep[SDKKey]    `json:"sdkKeys,omitempty"`
	MobileKeys []ConcurrentKeyRep[MobileKey] `json:"mobileKeys,omitempty"`
	// Lingering are SDK keys that a newer key has displaced from SDKKey.Expiring, and that are accepted until
	// their Timestamp. They are not on the wire: this package leaves Lingering nil, and package diff sets it. A
	// source other than events may set it for what the receiver has not seen expire.
	Lingering []ExpiringKeyRep `json:"-"`
	// DefaultTTL is the cache TTL for PHP clients, in minutes.
	DefaultTTL int `json:"defaultTtl"`
	// SecureMode is true if secure mode is required.
	SecureMode bool `json:"secureMode"`
	// Version grows with every change of this environment. It is never negative.
	Version int `json:"version"`
}

// SDKKeyRep is an SDK key, optionally accompanied by an old key that expires.
//
// Every verb of package fmt and package slog show its fields with the keys masked. encoding/json shows the real
// keys, and so does slog.JSONHandler for a slice, a map or a struct of another package with an SDKKeyRep in it.
type SDKKeyRep struct {
	// Value is the current key.
	Value SDKKey `json:"value"`
	// Expiring is the old key. Its Value is empty if there is none.
	Expiring ExpiringKeyRep `json:"expiring"`
}

// ExpiringKeyRep is an old key that is accepted until it expires.
//
// It is masked like SDKKeyRep.
type ExpiringKeyRep struct {
	// Value is the old key.
	Value SDKKey `json:"value"`
	// Timestamp is the time at which the key expires, in milliseconds since the Unix epoch. 0 means never.
	Timestamp int64 `json:"timestamp"`
}

// ConcurrentKeyRep is one of several keys that an environment accepts at the same time.
//
// It is masked like SDKKeyRep.
type ConcurrentKeyRep[K SDKKey | MobileKey] struct {
	// Key is the name of the credential for people. It is not a secret.
	Key string `json:"key"`
	// Value is the credential.
	Value K `json:"value"`
	// Expiry is the time at which the key expires, in milliseconds since the Unix epoch. Nil and 0 mean never.
	Expiry *int64 `json:"expiry,omitempty"`
	// HasViews is true if the key is restricted to views.
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
