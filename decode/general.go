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

// beginGeneral prepares the reader for readGeneral, with all texts empty.
func (r *environmentReader) beginGeneral(data []byte) {
	r.begin(data, nil)
	r.clearTexts(1<<textMembers - 1)
}

// compare compares what readGeneral has read with base, as read does at once.
func (r *environmentReader) compare(base *EnvironmentRep) {
	r.base = base
	for m, text := range [textCount]string{
		string(base.EnvID), base.EnvKey, base.EnvName, base.ProjKey, base.ProjName,
		string(base.MobKey), string(base.SDKKey.Value), string(base.SDKKey.Expiring.Value),
	} {
		if string(r.raw[m]) == text {
			r.changed &^= 1 << m
		}
	}
}

// readGeneral reads an environment. It may be called several times, for members that occur several times.
func (r *environmentReader) readGeneral(in *reader) {
	for more := in.begin(&environmentShape); more; more = in.next() {
		switch m := in.member(); m {
		case envID:
			readMember[EnvironmentID](r, in, m)
		case envKey:
			readMember[string](r, in, m)
		case envName:
			readMember[string](r, in, m)
		case projKey:
			readMember[string](r, in, m)
		case projName:
			readMember[string](r, in, m)
		case mobKey:
			readMember[MobileKey](r, in, m)
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

// readMember reads a member that is a text.
func readMember[T ~string](r *environmentReader, in *reader, member int) {
	if s, ok := readText[T](in); ok {
		r.raw[member] = s
	}
}

// readSDKKey reads the member sdkKey.
func (r *environmentReader) readSDKKey(in *reader) {
	for more := in.begin(&sdkKeyShape); more; more = in.next() {
		switch in.member() {
		case 0:
			readMember[SDKKey](r, in, sdkKey)
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
			readMember[SDKKey](r, in, expiringKey)
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
