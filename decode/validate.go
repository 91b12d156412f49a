package decode

import "strings"

// Paths of the items, after an optional leading slash.
const (
	environmentsPath = "environments/"
	filtersPath      = "filters/"
)

// itemID returns the ID behind the collection in path, and whether path is in that collection. An
// ID is one path element and not empty.
func itemID(path, collection string) (string, bool) {
	id, ok := strings.CutPrefix(strings.TrimPrefix(path, "/"), collection)
	return id, ok && id != "" && !strings.Contains(id, "/")
}

// check returns why the environment contradicts itself, or nil.
func (r *EnvironmentRep) check() error {
	if err := checkKeys(r.SDKKeys, r.SDKKey.Value); err != nil {
		return &RefusedError{r.EnvID, err}
	}
	if err := checkKeys(r.MobileKeys, r.MobKey); err != nil {
		return &RefusedError{r.EnvID, err}
	}
	return nil
}

// checkKeys returns why keys is not a possible set of accepted keys around the anchor, or nil. An
// empty set is possible: the anchor alone is accepted then.
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
