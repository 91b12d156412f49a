package decode

import "strings"

// The paths of items begin with one of these, after an optional slash.
const (
	environmentsPath = "environments/"
	filtersPath      = "filters/"
)

// itemID returns the ID in path and reports whether path is that of an item in the collection. An ID is one path
// element and not empty.
func itemID(path, collection string) (string, bool) {
	id, ok := strings.CutPrefix(strings.TrimPrefix(path, "/"), collection)
	return id, ok && id != "" && !strings.Contains(id, "/")
}

// check returns a *RefusedError if the keys of the environment contradict each other.
func (r *EnvironmentRep) check() error {
	if err := checkKeys(r.SDKKeys, r.SDKKey.Value); err != nil {
		return &RefusedError{r.EnvID, err}
	}
	if err := checkKeys(r.MobileKeys, r.MobKey); err != nil {
		return &RefusedError{r.EnvID, err}
	}
	return nil
}

// checkKeys returns an error unless keys is a valid set of accepted keys, which contains the anchor. An empty set is
// valid, too: then only the anchor is accepted.
func checkKeys[K SDKKey | MobileKey](keys []ConcurrentKeyRep[K], anchor K) error {
	anchored := len(keys) == 0
	for i := range keys {
		if keys[i].Value == "" {
			return ErrEmptyKey
		}
		anchored = anchored || keys[i].Value == anchor
	}
	if !anchored {
		return ErrAnchor
	}
	return nil
}
