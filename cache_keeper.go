package autoconfig

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/relaystream/autoconfig/decode"
)

const (
	// saveInterval is the time between two saves.
	saveInterval = time.Second
	// saveRetry is how long after a failed save the next one is tried.
	saveRetry = time.Minute
	// cacheTimeout is how long a call of a Cache may take.
	cacheTimeout = 10 * time.Second
	// lastSaveTimeout is how long the end of a client may wait for the last save, and graceTimeout how
	// long then for a call to heed that its context has ended: 100 ms together.
	lastSaveTimeout = 80 * time.Millisecond
	graceTimeout    = 20 * time.Millisecond
)

// A keeper lets a client begin with the configuration in its Cache, and saves what follows. A nil
// keeper, that of a client without a Cache, does nothing.
//
// All calls of the Cache are made by one goroutine, one after the other, so that neither the stream
// nor a subscriber ever waits for them. It is woken by messages, and looks at the state itself.
type keeper struct {
	client *Client
	cache  Cache

	wake chan struct{} // gets a token when the server's state may have changed
	keys chan *heldKey // gets the first key
	quit chan struct{} // closed when the state is final
	done chan struct{} // closed when the goroutine has ended

	io        context.Context // of saves; ends when they must
	endIO     context.CancelFunc
	endLoad   context.CancelFunc
	abandoned atomic.Bool // nobody waits for the goroutine any more

	trying  *heldKey                // that of the attempt under way; for the client's goroutine
	sealing atomic.Pointer[heldKey] // that of the last attempt that led to a connection
	heard   atomic.Bool             // the server has said something, which nothing saved may undo
	live    atomic.Bool             // a put of the server's was applied; set while the state is locked
	saved   mark                    // what was saved last, or loaded; for the keeper's goroutine
	size    int                     // of that

	mu    sync.Mutex
	stats CacheStats
}

// A heldKey holds a key in a function, so that nothing that is formatted holds it.
type heldKey struct{ get func() AutoConfigKey }

// A mark tells saved states apart: by the number of changes and by the key.
type mark struct {
	revision uint64
	key      *heldKey
}

func newKeeper(c *Client, cache Cache) *keeper {
	if cache == nil {
		return nil
	}
	return &keeper{
		client: c,
		cache:  cache,
		wake:   make(chan struct{}, 1),
		keys:   make(chan *heldKey, 1),
		quit:   make(chan struct{}),
		done:   make(chan struct{}),
	}
}

// The methods that the client calls.

// start runs the keeper on a goroutine of its own. The load ends with ctx, the rest with close.
func (k *keeper) start(ctx context.Context) {
	if k == nil {
		return
	}
	k.io, k.endIO = context.WithCancel(context.WithoutCancel(ctx))
	var loading context.Context
	loading, k.endLoad = context.WithCancel(ctx)
	go func() {
		defer close(k.done)
		k.load(ctx, loading)
		k.saveChanges()
	}()
}

// attempt is told the key of an attempt to connect.
func (k *keeper) attempt(key AutoConfigKey) {
	if k == nil || k.trying != nil && k.trying.get() == key {
		return
	}
	k.trying = &heldKey{func() AutoConfigKey { return key }}
	select {
	case k.keys <- k.trying:
	default:
	}
}

// connected is told that the attempt succeeded.
func (k *keeper) connected() {
	if k != nil {
		k.sealing.Store(k.trying)
	}
}

// received is told that a message of the server's is about to be applied.
func (k *keeper) received() {
	if k != nil && !k.heard.Load() {
		k.heard.Store(true)
		k.endLoad()
	}
}

// synced is told that a put of the server's was applied, while the state is locked. Not before that is
// the state complete, and may be saved.
func (k *keeper) synced() {
	if k != nil {
		k.live.Store(true)
	}
}

// changed is told that the state may have changed.
func (k *keeper) changed() {
	if k == nil || !k.live.Load() {
		return
	}
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// close is told that the state is final. It waits until that is saved, but not for long.
func (k *keeper) close() {
	if k == nil {
		return
	}
	defer k.endIO()
	k.endLoad()
	close(k.quit)
	if k.ended(lastSaveTimeout) {
		return
	}
	k.endIO()
	if !k.ended(graceTimeout) {
		k.abandoned.Store(true)
	}
}

// ended waits for the goroutine's end, and tells whether it came in time.
func (k *keeper) ended(timeout time.Duration) bool {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-k.done:
		return true
	case <-timer.C:
		return false
	}
}

// read returns the counts up to now.
func (k *keeper) read() CacheStats {
	if k == nil {
		return CacheStats{}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.stats
}

// What the goroutine does: the load.

// load applies the saved configuration, unless loading ends before, as it does at the server's first
// message. ctx is the client's.
func (k *keeper) load(ctx, loading context.Context) {
	listing, key, err := k.fetch(loading)
	if loading.Err() != nil {
		return // the server was quicker, or the client is being closed
	}
	if err != nil {
		k.notLoaded(err)
		return
	}
	message := &decode.Message{Kind: decode.Put, Put: listing}
	loaded := false
	// If it fails, the client is being closed.
	_ = k.client.update(ctx, func(emit func(Change)) {
		if k.heard.Load() {
			return
		}
		_ = k.client.state.Apply(ctx, message, emit)
		k.saved = mark{k.revision(), key}
		loaded = true
	})
	if loaded {
		k.count(func(s *CacheStats) { s.Loaded = true })
		k.client.journal.log.Info("loaded saved configuration", "environments", len(listing.Environments), "filters", len(listing.Filters))
	}
}

// fetch loads the configuration and opens it under the first key that there is.
func (k *keeper) fetch(ctx context.Context) (*decode.Listing, *heldKey, error) {
	sealed, err := k.loadSealed(ctx)
	if err != nil {
		return nil, nil, err
	}
	var key *heldKey
	select {
	case key = <-k.keys:
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
	plain, err := unseal(key.get(), sealed)
	if err != nil {
		return nil, nil, err
	}
	k.size = len(plain)
	listing, err := decodeSnapshot(plain)
	return listing, key, err
}

func (k *keeper) loadSealed(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, cacheTimeout)
	defer cancel()
	return k.cache.Load(ctx)
}

func (k *keeper) notLoaded(err error) {
	log := k.client.journal.log
	if errors.Is(err, fs.ErrNotExist) {
		log.Debug("no saved configuration")
		return
	}
	k.count(func(s *CacheStats) { s.LoadErr = err })
	log.Warn("saved configuration not loaded", "error", err)
	for _, unusable := range []error{ErrCacheDamaged, ErrCacheForeign, ErrCacheVersion, ErrCacheTooLarge} {
		if errors.Is(err, unusable) {
			k.setAside()
			return
		}
	}
}

func (k *keeper) setAside() {
	cache, ok := k.cache.(interface {
		SetAside(ctx context.Context) error
	})
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(k.io, cacheTimeout)
	defer cancel()
	if err := cache.SetAside(ctx); err != nil && !k.abandoned.Load() {
		k.client.journal.log.Warn("saved configuration not set aside", "error", err)
	}
}

// What the goroutine does: the saves.

// saveChanges saves the state again and again, until it is final.
func (k *keeper) saveChanges() {
	for {
		select {
		case <-k.wake:
		case <-k.quit:
			k.save()
			return
		}
		select {
		case <-time.After(k.save()):
		case <-k.quit:
			k.save()
			return
		}
	}
}

// save saves the state, if it is the server's and not saved yet, and returns how long to pause then.
func (k *keeper) save() time.Duration {
	if k.io.Err() != nil {
		return saveInterval
	}
	changes, now := k.look()
	if changes == nil {
		return saveInterval
	}
	err := k.put(changes, now.key)
	if k.abandoned.Load() {
		return saveInterval
	}
	k.count(func(s *CacheStats) {
		if s.SaveErr = err; err != nil {
			s.Failures++
		} else {
			s.Saves++
		}
	})
	if err != nil {
		k.client.journal.log.Warn("configuration not saved", "error", err)
		k.changed()
		return saveRetry
	}
	k.saved = now
	return saveInterval
}

// look returns the state, nil if none of it is the server's.
func (k *keeper) look() (changes []Change, now mark) {
	now.key = k.sealing.Load()
	k.client.changes.View(func() {
		now.revision = k.revision()
		if k.live.Load() && now != k.saved {
			changes = k.client.state.Snapshot()
		}
	})
	return changes, now
}

// revision numbers the states, which must be locked.
func (k *keeper) revision() uint64 {
	stats := k.client.state.Stats()
	return stats.Applied + stats.Expired
}

// put encodes, seals and saves.
func (k *keeper) put(changes []Change, key *heldKey) error {
	plain, err := encodeSnapshot(changes, k.size+k.size/8)
	if err != nil {
		return err
	}
	k.size = len(plain)
	sealed, err := seal(key.get(), plain)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(k.io, cacheTimeout)
	defer cancel()
	return k.cache.Save(ctx, sealed)
}

func (k *keeper) count(f func(s *CacheStats)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f(&k.stats)
}
