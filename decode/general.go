package decode

// The general path reads items in any form. As in encoding/json, a member that is missing or null does not change
// anything, and a member that occurs several times is decoded into the same variable each time.

// The shapes of an environment and of a filter. They are never modified.
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

// readAny reads an environment in any form. It may be called several times, for objects that occur several times.
func (r *environmentReader) readAny(in *reader) {
	if in.begin(&environmentShape) {
		next, at := r.readUsual(in.pos)
		in.advance(next)
		r.readOn(in, at)
	}
}

// readOn reads the rest of an environment. in stands where readUsual has stopped.
func (r *environmentReader) readOn(in *reader, at stop) {
	for at != atEnd {
		if at == atMember {
			r.readMember(in)
		}
		if !in.next() {
			return
		}
		var next int
		next, at = r.readUsual(in.pos)
		in.advance(next)
	}
	in.stack = in.stack[:len(in.stack)-1]
}

// readMember reads a member in any form.
func (r *environmentReader) readMember(in *reader) {
	r.unusual = true
	m := in.member()
	if m >= 0 && r.seen&(1<<m) == 0 {
		r.seen |= 1 << m
		r.clearMember(m)
	}
	switch m {
	case envID:
		readRaw[EnvironmentID](r, in, m)
	case envKey, envName, projKey, projName:
		readRaw[string](r, in, m)
	case mobKey:
		readRaw[MobileKey](r, in, m)
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

// clearMember removes what base has, or readUsual has read before it failed, of a member.
func (r *environmentReader) clearMember(m int) {
	switch m {
	case sdkKey:
		r.timestamp = 0
		r.clearTexts(1 << sdkKey)
	case sdkKeys:
		r.sdkKeys.clear()
	case mobileKeys:
		r.mobileKeys.clear()
	default:
		if m < textMembers {
			r.clearTexts(1 << m)
		}
	}
}

// readRaw reads a text.
func readRaw[T ~string](r *environmentReader, in *reader, text int) {
	if s, ok := readText[T](in); ok {
		r.raw[text] = s
		r.changed |= 1 << text
	}
}

// readSDKKey reads the member sdkKey.
func (r *environmentReader) readSDKKey(in *reader) {
	for more := in.begin(&sdkKeyShape); more; more = in.next() {
		switch in.member() {
		case 0:
			readRaw[SDKKey](r, in, sdkKey)
		case 1:
			r.readExpiring(in)
		default:
			in.skip()
		}
	}
}

// readExpiring reads the member expiring of the member sdkKey.
func (r *environmentReader) readExpiring(in *reader) {
	for more := in.begin(&expiringShape); more; more = in.next() {
		switch in.member() {
		case 0:
			readRaw[SDKKey](r, in, expiringKey)
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

// readFilter reads a filter into rep, or into a new one if rep is nil, and returns it. It returns nil for null.
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
