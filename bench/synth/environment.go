package synth

import (
	"fmt"

	"github.com/relaystream/autoconfig/decode"
)

type environment struct {
	rep      decode.EnvironmentRep
	rotating bool
	unknown  bool // not yet announced
	deleted  bool // the version is the tombstone's
}

type filter struct {
	id  decode.FilterID
	rep decode.FilterRep
}

// change makes one change, as a person does in the user interface of the service.
func (s *Stream) change(e *environment) {
	if e.rotating && s.rng.IntN(2) == 0 {
		s.rotate(&e.rep)
		return
	}
	switch s.rng.IntN(4) {
	case 0:
		e.rep.EnvName = s.name()
	case 1:
		s.resetMobileKey(&e.rep)
	case 2:
		e.rep.DefaultTTL = (e.rep.DefaultTTL + 1) % 10
	case 3:
		e.rep.SecureMode = !e.rep.SecureMode
	}
}

// expiry returns the time when a replaced key expires, in milliseconds. By default the times are a second
// apart, and none is during a benchmark.
func (s *Stream) expiry() int64 {
	if s.cfg.Expiry != nil {
		return s.cfg.Expiry().UnixMilli()
	}
	return 4_102_444_800_000 + int64(s.rng.IntN(1e6))*1000
}

// rotate replaces the SDK key. While the last one that was replaced has not expired the two change places: no key
// expires during a benchmark, and keys that are accepted until they do would gather without end.
func (s *Stream) rotate(rep *decode.EnvironmentRep) {
	value := rep.SDKKey.Expiring.Value
	if value == "" {
		value = s.sdkKey()
	}
	rep.SDKKey = decode.SDKKeyRep{
		Value:    value,
		Expiring: decode.ExpiringKeyRep{Value: rep.SDKKey.Value, Timestamp: s.expiry()},
	}
	if rep.SDKKeys != nil {
		rep.SDKKeys = concurrent(rep.SDKKey.Value)
		expiry := rep.SDKKey.Expiring.Timestamp
		rep.SDKKeys = append(rep.SDKKeys, decode.ConcurrentKeyRep[decode.SDKKey]{
			Key: "previous", Value: rep.SDKKey.Expiring.Value, Expiry: &expiry,
		})
	}
}

func (s *Stream) resetMobileKey(rep *decode.EnvironmentRep) {
	rep.MobKey = s.mobileKey()
	if rep.MobileKeys != nil {
		rep.MobileKeys = concurrent(rep.MobKey)
	}
}

func concurrent[K decode.SDKKey | decode.MobileKey](key K) []decode.ConcurrentKeyRep[K] {
	return []decode.ConcurrentKeyRep[K]{{Key: "default", Value: key}}
}

func (s *Stream) newEnvironment() environment {
	rep := decode.EnvironmentRep{
		EnvID: decode.EnvironmentID(s.id()), EnvKey: s.name(), EnvName: s.name(),
		ProjKey: s.name(), ProjName: s.name(),
		SDKKey: decode.SDKKeyRep{Value: s.sdkKey()}, MobKey: s.mobileKey(),
		DefaultTTL: s.rng.IntN(10), SecureMode: s.rng.IntN(2) == 0, Version: 1 + s.rng.IntN(100),
	}
	if s.rng.Float64() < s.cfg.ConcurrentKeys {
		rep.SDKKeys, rep.MobileKeys = concurrent(rep.SDKKey.Value), concurrent(rep.MobKey)
	}
	return environment{rep: rep, rotating: s.rng.Float64() < s.cfg.Rotating}
}

// id returns an ID of 24 hexadecimal digits, like those of the service.
func (s *Stream) id() string { return fmt.Sprintf("%08x%016x", s.rng.Uint32(), s.rng.Uint64()) }

func (s *Stream) uuid() string {
	a, b := s.rng.Uint64(), s.rng.Uint64()
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", uint32(a), uint16(a>>32), uint16(a>>48), uint16(b), b>>16)
}

func (s *Stream) sdkKey() decode.SDKKey { return decode.SDKKey("sdk-" + s.uuid()) }

func (s *Stream) mobileKey() decode.MobileKey { return decode.MobileKey("mob-" + s.uuid()) }

// name returns a name of between half and one and a half times NameLength bytes.
func (s *Stream) name() string {
	name := make([]byte, (s.cfg.NameLength+1)/2+s.rng.IntN(s.cfg.NameLength+1))
	for i := range name {
		name[i] = 'a' + byte(s.rng.IntN(26))
	}
	return string(name)
}
