package cache

import "testing"

func TestKindString(t *testing.T) {
	for kind, want := range map[Kind]string{
		Loaded: "loaded", NotFound: "not found", LoadFailed: "load failed", SetAsideFailed: "set aside failed",
		Saved: "saved", SaveFailed: "save failed", 0: "Kind(0)", SaveFailed + 1: "Kind(7)",
	} {
		if got := kind.String(); got != want {
			t.Errorf("%d: %s, want %s", kind, got, want)
		}
	}
}
