package decode

import "slices"

// rep returns a copy of the environment that was read. It shares memory with base where the two are equal:
// little changes from one version of an environment to the next.
func (r *environmentReader) rep() *EnvironmentRep {
	rep := new(EnvironmentRep)
	*rep = *r.base
	rep.Lingering = nil
	if r.changed != 0 {
		r.change(rep)
	}
	rep.SDKKey.Expiring.Timestamp = r.timestamp
	rep.SDKKeys = shareKeys(rep.SDKKeys, &r.sdkKeys, r.budget)
	rep.MobileKeys = shareKeys(rep.MobileKeys, &r.mobileKeys, r.budget)
	rep.DefaultTTL, rep.SecureMode, rep.Version = r.ttl, r.secure, r.version
	return rep
}

// change sets the texts of rep that differ from base. Names share memory with names only, and keys with keys. The
// ID has its own, because it outlives the environment.
func (r *environmentReader) change(rep *EnvironmentRep) {
	if old := r.base.SDKKey.Value; r.changed&(1<<expiringKey) != 0 && string(r.raw[expiringKey]) == string(old) {
		r.changed &^= 1 << expiringKey
		rep.SDKKey.Expiring.Value = old // a key that has just been replaced expires
	}
	if r.changed&(1<<envID) != 0 {
		rep.EnvID = EnvironmentID(r.raw[envID])
	}
	names := [...]*string{&rep.EnvKey, &rep.EnvName, &rep.ProjKey, &rep.ProjName}
	keys := [...]*string{(*string)(&rep.MobKey), (*string)(&rep.SDKKey.Value), (*string)(&rep.SDKKey.Expiring.Value)}
	r.share(names[:], envKey)
	r.share(keys[:], mobKey)
}

// maxShared is how many bytes texts share at most. One text keeps the memory of all of them in use.
const maxShared = 256

// share sets the texts that changed, the first of which has the index first in raw. Short ones share one
// allocation, which saves time on a first put.
func (r *environmentReader) share(texts []*string, first int) {
	raw, changed := r.raw[first:first+len(texts)], r.changed>>first
	r.fresh = r.fresh[:0]
	for i, text := range texts {
		if changed&(1<<i) == 0 {
			continue
		}
		if len(r.fresh)+len(raw[i]) > maxShared {
			*text = string(raw[i])
			changed &^= 1 << i
			continue
		}
		r.fresh = append(r.fresh, raw[i]...)
	}
	shared := string(r.fresh)
	for i, text := range texts {
		if changed&(1<<i) != 0 {
			n := len(raw[i])
			*text, shared = shared[:n], shared[n:]
		}
	}
}

// shareKeys returns a copy of raw, or old if that is equal.
func shareKeys[K SDKKey | MobileKey](old []ConcurrentKeyRep[K], raw *rawKeys, budget *budget) []ConcurrentKeyRep[K] {
	switch {
	case raw.empty:
		return []ConcurrentKeyRep[K]{}
	case len(raw.list) == 0:
		return nil
	case slices.EqualFunc(raw.list, old, sameKey[K]):
		return old
	}
	keys := make([]ConcurrentKeyRep[K], len(raw.list))
	for i := range raw.list {
		k := &raw.list[i]
		if !budget.spend(len(k.key) + len(k.value) + 16) {
			break
		}
		keys[i] = ConcurrentKeyRep[K]{Key: string(k.key), Value: K(k.value), HasViews: k.hasViews}
		if k.expires {
			expiry := k.expiry // &k.expiry would keep k, and with it the event, in memory
			keys[i].Expiry = &expiry
		}
	}
	return keys
}

// sameKey reports whether raw and k are equal.
func sameKey[K SDKKey | MobileKey](raw rawKey, k ConcurrentKeyRep[K]) bool {
	return string(raw.key) == k.Key && string(raw.value) == string(k.Value) && raw.hasViews == k.HasViews &&
		raw.expires == (k.Expiry != nil) && (k.Expiry == nil || raw.expiry == *k.Expiry)
}
