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

// TestJSONShowsSettings changes one setting at a time.
func TestJSONShowsSettings(t *testing.T) {
	e := decode.EnvironmentRep{EnvID: "e", Version: 1, DefaultTTL: 5}
	ttl, secure := e, e
	ttl.DefaultTTL, secure.SecureMode = 10, true
	const start = `{"envID":"e","envKey":"","envName":"","projKey":"","projName":"","version":1,`
	for want, item := range map[string]*decode.EnvironmentRep{
		start + `"defaultTtl":5}`:                   &e,
		start + `"defaultTtl":10}`:                  &ttl,
		start + `"defaultTtl":5,"secureMode":true}`: &secure,
	} {
		text, err := json.Marshal(Change{Kind: EnvironmentUpdated, Old: &e, New: item})
		if err != nil || !strings.Contains(string(text), `"new":`+want) {
			t.Errorf("%s, %v, want %s", text, err, want)
		}
	}
}
