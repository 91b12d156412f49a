package autoconfig

import (
	"github.com/relaystream/autoconfig/cache"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/params"
	"github.com/relaystream/autoconfig/stream/sse"
)

// SSE event names; see package decode.
const (
	PutEvent       = decode.PutEvent
	PatchEvent     = decode.PatchEvent
	DeleteEvent    = decode.DeleteEvent
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

// Types of the packages below, so that most programs import only this one. Their fields and methods are there.
type (
	// AutoConfigKey is the credential of an auto-configuration stream, shown masked.
	AutoConfigKey = decode.AutoConfigKey
	// EnvironmentID identifies an environment.
	EnvironmentID = decode.EnvironmentID
	// FilterID identifies a payload filter.
	FilterID = decode.FilterID
	// SDKKey is a server-side SDK key, shown masked.
	SDKKey = decode.SDKKey
	// MobileKey is a mobile key, shown masked.
	MobileKey = decode.MobileKey

	// PutMessageData is the JSON data of a put event; see decode.PutMessageData.
	PutMessageData = decode.PutMessageData
	// PutContent is the content of PutMessageData; see decode.PutContent.
	PutContent = decode.PutContent
	// PatchMessageData is the JSON data of a patch event; see decode.PatchMessageData.
	PatchMessageData = decode.PatchMessageData
	// PatchFilterMessageData is the JSON data of a patch event of a filter; see decode.PatchFilterMessageData.
	PatchFilterMessageData = decode.PatchFilterMessageData
	// DeleteMessageData is the JSON data of a delete event; see decode.DeleteMessageData.
	DeleteMessageData = decode.DeleteMessageData
	// EnvironmentRep is the wire form of an environment; see decode.EnvironmentRep.
	EnvironmentRep = decode.EnvironmentRep
	// SDKKeyRep is the current SDK key of an EnvironmentRep, and the one that it replaces; see decode.SDKKeyRep.
	SDKKeyRep = decode.SDKKeyRep
	// ExpiringKeyRep is the key that a SDKKeyRep replaces; see decode.ExpiringKeyRep.
	ExpiringKeyRep = decode.ExpiringKeyRep
	// ConcurrentKeyRep is one of several keys of an EnvironmentRep; see decode.ConcurrentKeyRep.
	ConcurrentKeyRep[K SDKKey | MobileKey] = decode.ConcurrentKeyRep[K]
	// FilterRep is the wire form of a payload filter; see decode.FilterRep.
	FilterRep = decode.FilterRep

	// Key is a credential that an environment accepts, and when it expires; see decode.Key.
	Key = decode.Key

	// Change is one change of the configuration; see diff.Change.
	Change = diff.Change
	// Snapshot is a configuration at one moment; see diff.Snapshot.
	Snapshot = diff.Snapshot
	// Field is one difference between the items of a Change; see diff.Field.
	Field = diff.Field
	// Filter is a payload filter with its ID; see diff.Filter.
	Filter = diff.Filter

	// EnvironmentParams describes an environment to a MessageHandler; see params.Environment.
	EnvironmentParams = params.Environment
	// EnvIdentifiers name an environment and its project for people; see params.Identifiers.
	EnvIdentifiers = params.Identifiers
	// ExpiringSDKKey is an SDK key with an end; see params.ExpiringSDKKey.
	ExpiringSDKKey = params.ExpiringSDKKey
	// AcceptedKey is one of the keys of an environment that accepts several; see params.AcceptedKey.
	AcceptedKey[K SDKKey | MobileKey] = params.AcceptedKey[K]
	// FilterParams describes a payload filter to a FilterHandler; see params.Filter.
	FilterParams = params.Filter

	// HandlerSource is a MessageHandler that can be observed: the reverse of Dispatch; see params.Source.
	HandlerSource = params.Source

	// Cache keeps one configuration from one run of the program to the next; see cache.Store and Options.Cache.
	Cache = cache.Store
	// FileCache is a Cache in a file; see cache.File.
	FileCache = cache.File
	// CacheStats describes how a client's cache is doing; see cache.Stats.
	CacheStats = cache.Stats
)

// ErrKeyRejected matches the error of a connection whose key the server did not accept: 401 or 403.
var ErrKeyRejected = sse.ErrUnauthorized

// Errors of a cache, where ErrNotSaved is Client.CloseContext's; see package cache.
var (
	ErrCacheDamaged  = cache.ErrDamaged
	ErrCacheForeign  = cache.ErrForeign
	ErrCacheVersion  = cache.ErrVersion
	ErrCacheTooLarge = cache.ErrTooLarge
	ErrNotSaved      = cache.ErrNotSaved
)

// NewHandlerSource returns a HandlerSource that has not been told anything.
func NewHandlerSource() *HandlerSource { return params.NewSource() }

// DefaultMaxCacheSize is the default limit of FileCache, in bytes.
const DefaultMaxCacheSize = cache.DefaultMaxSize
