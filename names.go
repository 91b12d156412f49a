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

// Types of the packages below, so that most programs import only this one.
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

	// Key is a credential that an environment accepts, and when it expires.
	Key = decode.Key

	// Change is one change of the configuration.
	Change = diff.Change
	// Snapshot is a configuration at one moment.
	Snapshot = diff.Snapshot
	// Field is one difference between the items of a Change.
	Field = diff.Field
	// Filter is a payload filter with its ID.
	Filter = diff.Filter

	// EnvironmentParams describes an environment to a MessageHandler.
	EnvironmentParams = params.Environment
	// EnvIdentifiers name an environment and its project for people.
	EnvIdentifiers = params.Identifiers
	// ExpiringSDKKey is an SDK key with an end.
	ExpiringSDKKey = params.ExpiringSDKKey
	// AcceptedKey is one of the keys of an environment that accepts several.
	AcceptedKey[K SDKKey | MobileKey] = params.AcceptedKey[K]
	// FilterParams describes a payload filter to a FilterHandler.
	FilterParams = params.Filter

	// HandlerSource is a MessageHandler that can be observed: the reverse of Dispatch.
	HandlerSource = params.Source

	// Cache keeps one configuration from one run of the program to the next; see Options.Cache.
	Cache = cache.Store
	// FileCache is a Cache in a file.
	FileCache = cache.File
	// CacheStats describes how a client's cache is doing.
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
