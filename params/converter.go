package params

import (
	"fmt"
	"io"

	"github.com/relaystream/autoconfig/decode"
)

// A Converter returns the parameters of environments as they change. Where an environment lists the same keys as
// before, the parameters share the slices of those before. The zero value is ready to use. A Converter is not safe for
// concurrent use.
type Converter struct {
	last map[decode.EnvironmentID]*lists // of environments with concurrent keys
}

type lists struct {
	sdk    list[decode.SDKKey]
	mobile list[decode.MobileKey]
}

// A list has keys before and after their conversion.
type list[K decode.SDKKey | decode.MobileKey] struct {
	current  K
	keys     []decode.ConcurrentKeyRep[K]
	accepted []AcceptedKey[K]
}

// OfEnvironment is the function OfEnvironment.
func (c *Converter) OfEnvironment(e *decode.EnvironmentRep) (p Environment) {
	p.describe(e)
	if !concurrent(e) {
		c.Forget(e.EnvID)
		p.list(e)
		return p
	}
	last := c.last[e.EnvID]
	if last == nil {
		last = new(lists)
		if c.last == nil {
			c.last = make(map[decode.EnvironmentID]*lists)
		}
		c.last[e.EnvID] = last
	}
	p.AcceptedSDKKeys = last.sdk.convert(e.SDKKeys, e.SDKKey.Value)
	p.AcceptedMobileKeys = last.mobile.convert(e.MobileKeys, e.MobKey)
	return p
}

// Forget frees the memory for an environment, which is gone.
func (c *Converter) Forget(id decode.EnvironmentID) { delete(c.last, id) }

// Format implements fmt.Formatter without the keys, whatever the verb.
func (c Converter) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "params.Converter") }

// concurrent reports whether e lists its keys. It is false if keys linger, which is rare and not for long.
func concurrent(e *decode.EnvironmentRep) bool {
	return len(e.SDKKeys)+len(e.MobileKeys) > 0 && len(e.Lingering) == 0
}

// convert is acceptedKeys, unless nothing has changed.
func (l *list[K]) convert(keys []decode.ConcurrentKeyRep[K], current K) []AcceptedKey[K] {
	same := len(keys) == len(l.keys) && (len(keys) == 0 || &keys[0] == &l.keys[0])
	if !same || current != l.current {
		*l = list[K]{current, keys, acceptedKeys(keys, current)}
	}
	return l.accepted
}
