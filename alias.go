package autoconfig

import (
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
)

// Names of the events; see package decode.
const (
	// PutEvent is the SSE event name corresponding to PutMessageData.
	PutEvent = decode.PutEvent
	// PatchEvent is the SSE event name corresponding to PatchMessageData.
	PatchEvent = decode.PatchEvent
	// DeleteEvent is the SSE event name corresponding to DeleteMessageData.
	DeleteEvent = decode.DeleteEvent
	// ReconnectEvent is the SSE event name of a message that forces a reconnection.
	ReconnectEvent = decode.ReconnectEvent
)

// Kinds of changes; see package diff.
const (
	EnvironmentAdded   = diff.EnvironmentAdded
	EnvironmentUpdated = diff.EnvironmentUpdated
	EnvironmentDeleted = diff.EnvironmentDeleted
	FilterAdded        = diff.FilterAdded
	FilterUpdated      = diff.FilterUpdated
	FilterDeleted      = diff.FilterDeleted
	KeyExpired         = diff.KeyExpired
	Synced             = diff.Synced
)

// Types of the layers below, so that most programs import this package only.
type (
	// EnvironmentID identifies an environment.
	EnvironmentID = decode.EnvironmentID
	// FilterID identifies a payload filter.
	FilterID = decode.FilterID
	// SDKKey is a server-side SDK key, shown masked.
	SDKKey = decode.SDKKey
	// MobileKey is a mobile key, shown masked.
	MobileKey = decode.MobileKey

	// PutMessageData is the JSON data of a put event.
	PutMessageData = decode.PutMessageData
	// PutContent is the content of PutMessageData.
	PutContent = decode.PutContent
	// PatchMessageData is the JSON data of a patch event.
	PatchMessageData = decode.PatchMessageData
	// PatchFilterMessageData is the JSON data of a patch event of a filter.
	PatchFilterMessageData = decode.PatchFilterMessageData
	// DeleteMessageData is the JSON data of a delete event.
	DeleteMessageData = decode.DeleteMessageData
	// EnvironmentRep is the wire form of an environment.
	EnvironmentRep = decode.EnvironmentRep
	// SDKKeyRep is the current SDK key of an EnvironmentRep, and the one that it replaces.
	SDKKeyRep = decode.SDKKeyRep
	// ExpiringKeyRep is the key that a SDKKeyRep replaces.
	ExpiringKeyRep = decode.ExpiringKeyRep
	// ConcurrentKeyRep is one of several keys of an EnvironmentRep.
	ConcurrentKeyRep[K SDKKey | MobileKey] = decode.ConcurrentKeyRep[K]
	// FilterRep is the wire form of a payload filter.
	FilterRep = decode.FilterRep

	// Change is one change of the configuration.
	Change = diff.Change
	// Filter is a payload filter with its ID.
	Filter = diff.Filter
	// Key is a key that will expire or has expired.
	Key = diff.Key
)
