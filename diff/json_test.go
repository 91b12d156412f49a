package diff

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/relaystream/autoconfig/decode"
)

// The time of an expiry can be any number, and JSON has no years after 9999.
func TestChangesWithAnyExpiryCanBeEncoded(t *testing.T) {
	for at, year := range map[int64]string{math.MinInt64: `"1970-`, -1: `"1970-`, 1e12: `"2001-`, math.MaxInt64: `"9999-`} {
		e := decode.EnvironmentRep{EnvID: "e", SDKKey: decode.SDKKeyRep{Value: "a", Expiring: decode.ExpiringKeyRep{Value: "b", Timestamp: at}}}
		text, err := json.Marshal(Change{Kind: EnvironmentAdded, New: &e})
		if err != nil || !strings.Contains(string(text), year) {
			t.Errorf("%d: %s, %v", at, text, err)
		}
	}
}
