package decode

// Items in any form. A member that is missing or null leaves what was there before: nothing, or what an
// earlier member of the same name said.

// The shapes of an environment and of a filter. None of them is ever written to.
var (
	environmentShape = structOf[EnvironmentRep]("envID", "envKey", "envName", "projKey", "projName", "mobKey", "sdkKey",
		"sdkKeys", "mobileKeys", "defaultTtl", "secureMode", "version")
	sdkKeyShape   = structOf[SDKKeyRep]("value", "expiring")
	expiringShape = structOf[ExpiringKeyRep]("value", "timestamp")

	sdkKeysShape         = listOf[[]ConcurrentKeyRep[SDKKey]]()
	listedSDKKeyShape    = structOf[ConcurrentKeyRep[SDKKey]]("key", "value", "expiry", "hasViews")
	mobileKeysShape      = listOf[[]ConcurrentKeyRep[MobileKey]]()
	listedMobileKeyShape = structOf[ConcurrentKeyRep[MobileKey]]("key", "value", "expiry", "hasViews")

	filterShape = structOf[FilterRep]("projKey", "key", "version")
)

// beginGeneral makes the reader ready for readGeneral.
func (r *environmentReader) beginGeneral(data []byte, base *EnvironmentRep) {
	r.begin(data, base)
	r.clearTexts(1<<textMembers - 1)
}

// readGeneral reads an environment in any form.
func (r *environmentReader) readGeneral(in *reader) {
	for more := in.begin(&environmentShape); more; more = in.next() {
		switch m := in.member(); m {
		case envID:
			readMember(r, in, m, r.base.EnvID)
		case envKey:
			readMember(r, in, m, r.base.EnvKey)
		case envName:
			readMember(r, in, m, r.base.EnvName)
		case projKey:
			readMember(r, in, m, r.base.ProjKey)
		case projName:
			readMember(r, in, m, r.base.ProjName)
		case mobKey:
			readMember(r, in, m, r.base.MobKey)
		case sdkKey:
			r.readSDKKey(in)
		case sdkKeys:
			readKeyList[SDKKey](in, &r.sdkKeys, &sdkKeysShape, &listedSDKKeyShape)
		case mobileKeys:
			readKeyList[MobileKey](in, &r.mobileKeys, &mobileKeysShape, &listedMobileKeyShape)
		case defaultTTL:
			readInteger(in, &r.ttl)
		case secureMode:
			in.boolean(&r.secure)
		case version:
			readInteger(in, &r.version)
		default:
			in.skip()
		}
	}
}

// readMember reads a member that is a text and is known in base.
func readMember[T ~string](r *environmentReader, in *reader, member int, known T) {
	s, ok := readText[T](in)
	if !ok {
		return
	}
	if string(s) == string(known) {
		r.raw[member] = nil
		r.changed &^= 1 << member
		return
	}
	r.raw[member] = s
	r.changed |= 1 << member
}

func (r *environmentReader) readSDKKey(in *reader) {
	for more := in.begin(&sdkKeyShape); more; more = in.next() {
		switch in.member() {
		case 0:
			readMember(r, in, sdkKey, r.base.SDKKey.Value)
		case 1:
			r.readExpiring(in)
		default:
			in.skip()
		}
	}
}

func (r *environmentReader) readExpiring(in *reader) {
	for more := in.begin(&expiringShape); more; more = in.next() {
		switch in.member() {
		case 0:
			readMember(r, in, expiringKey, r.base.SDKKey.Expiring.Value)
		case 1:
			readInteger(in, &r.timestamp)
		default:
			in.skip()
		}
	}
}

// readKeyList reads an array of concurrent keys.
func readKeyList[K SDKKey | MobileKey](in *reader, keys *rawKeys, shape, element *shape) {
	if in.null() {
		keys.clear()
		return
	}
	n, list := 0, keys.list[:len(keys.list)+keys.stale]
	for more := in.begin(shape); more; more = in.next() {
		if in.tooMany(n + 1) {
			in.skip()
			continue
		}
		if n == len(list) {
			list = append(list, rawKey{})
		}
		readKey[K](in, &list[n], element)
		n++
	}
	*keys = rawKeys{list: list[:n], stale: len(list) - n}
	if n == 0 {
		keys.clear()
		keys.empty = true
	}
}

// readKey reads a concurrent key.
func readKey[K SDKKey | MobileKey](in *reader, k *rawKey, shape *shape) {
	for more := in.begin(shape); more; more = in.next() {
		switch in.member() {
		case 0:
			if s, ok := readText[string](in); ok {
				k.key = s
			}
		case 1:
			if s, ok := readText[K](in); ok {
				k.value = s
			}
		case 2:
			if k.expires = !in.null(); k.expires {
				readInteger(in, &k.expiry)
			}
		case 3:
			in.boolean(&k.hasViews)
		default:
			in.skip()
		}
	}
}

// readFilter reads a filter into rep, which is nil if there is none yet, and returns it; null is none.
func readFilter(in *reader, rep *FilterRep) *FilterRep {
	if in.null() {
		return nil
	}
	if rep == nil {
		rep = new(FilterRep)
	}
	for more := in.begin(&filterShape); more; more = in.next() {
		switch in.member() {
		case 0:
			readString(in, &rep.ProjKey)
		case 1:
			readString(in, &rep.FilterKey)
		case 2:
			readInteger(in, &rep.Version)
		default:
			in.skip()
		}
	}
	return rep
}
