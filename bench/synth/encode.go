package synth

import (
	"encoding/json"
	"strconv"

	"github.com/relaystream/autoconfig/decode"
)

// The service writes the members in this order, without white space, with the escapes of encoding/json.
// Each event is an event line and one data line.

func appendPatch(dst []byte, rep *decode.EnvironmentRep) []byte {
	dst = append(dst, "event: patch\ndata: "...)
	dst = appendPatchJSON(dst, rep)
	return append(dst, "\n\n"...)
}

func appendPatchJSON(dst []byte, rep *decode.EnvironmentRep) []byte {
	dst = append(dst, `{"path":"/environments/`...)
	dst = append(dst, rep.EnvID...)
	dst = append(dst, `","data":`...)
	dst = appendEnvironment(dst, rep)
	return append(dst, '}')
}

func appendDelete(dst []byte, id decode.EnvironmentID, version int) []byte {
	dst = append(dst, "event: delete\ndata: {\"path\":\"/environments/"...)
	dst = append(dst, id...)
	dst = append(dst, `","version":`...)
	dst = strconv.AppendInt(dst, int64(version), 10)
	return append(dst, "}\n\n"...)
}

func appendFilterPatch(dst []byte, id decode.FilterID, rep decode.FilterRep) []byte {
	dst = append(dst, "event: patch\ndata: {\"path\":\"/filters/"...)
	dst = append(dst, id...)
	dst = append(dst, `","data":`...)
	dst = appendFilter(dst, &rep)
	return append(dst, "}\n\n"...)
}

func (s *Stream) appendPut(dst []byte) []byte {
	dst = append(dst, "event: put\ndata: {\"path\":\"/\",\"data\":{\"environments\":{"...)
	separator := ""
	for i := range s.envs {
		if e := &s.envs[i]; !e.unknown && !e.deleted {
			dst = append(append(dst, separator...), '"')
			dst = append(append(dst, e.rep.EnvID...), `":`...)
			dst = appendEnvironment(dst, &e.rep)
			separator = ","
		}
	}
	dst = append(dst, '}')
	if len(s.filters) > 0 {
		dst = append(dst, `,"filters":{`...)
		for i := range s.filters {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendString(dst, s.filters[i].id)
			dst = append(dst, ':')
			dst = appendFilter(dst, &s.filters[i].rep)
		}
		dst = append(dst, '}')
	}
	return append(dst, "}}\n\n"...)
}

func appendEnvironment(dst []byte, rep *decode.EnvironmentRep) []byte {
	dst = appendString(append(dst, `{"envID":`...), rep.EnvID)
	dst = appendString(append(dst, `,"envKey":`...), rep.EnvKey)
	dst = appendString(append(dst, `,"envName":`...), rep.EnvName)
	dst = appendString(append(dst, `,"mobKey":`...), rep.MobKey)
	dst = appendString(append(dst, `,"projKey":`...), rep.ProjKey)
	dst = appendString(append(dst, `,"projName":`...), rep.ProjName)
	dst = appendString(append(dst, `,"sdkKey":{"value":`...), rep.SDKKey.Value)
	dst = appendString(append(dst, `,"expiring":{"value":`...), rep.SDKKey.Expiring.Value)
	dst = strconv.AppendInt(append(dst, `,"timestamp":`...), rep.SDKKey.Expiring.Timestamp, 10)
	dst = append(dst, "}}"...)
	if rep.SDKKeys != nil {
		dst = appendKeys(append(dst, `,"sdkKeys":`...), rep.SDKKeys)
	}
	if rep.MobileKeys != nil {
		dst = appendKeys(append(dst, `,"mobileKeys":`...), rep.MobileKeys)
	}
	dst = strconv.AppendInt(append(dst, `,"defaultTtl":`...), int64(rep.DefaultTTL), 10)
	dst = strconv.AppendBool(append(dst, `,"secureMode":`...), rep.SecureMode)
	dst = strconv.AppendInt(append(dst, `,"version":`...), int64(rep.Version), 10)
	return append(dst, '}')
}

func appendKeys[K decode.SDKKey | decode.MobileKey](dst []byte, keys []decode.ConcurrentKeyRep[K]) []byte {
	dst = append(dst, '[')
	for i, k := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(append(dst, `{"key":`...), k.Key)
		dst = appendString(append(dst, `,"value":`...), k.Value)
		if k.Expiry != nil {
			dst = strconv.AppendInt(append(dst, `,"expiry":`...), *k.Expiry, 10)
		}
		dst = strconv.AppendBool(append(dst, `,"hasViews":`...), k.HasViews)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func appendFilter(dst []byte, rep *decode.FilterRep) []byte {
	dst = appendString(append(dst, `{"projKey":`...), rep.ProjKey)
	dst = appendString(append(dst, `,"key":`...), rep.FilterKey)
	dst = strconv.AppendInt(append(dst, `,"version":`...), int64(rep.Version), 10)
	return append(dst, '}')
}

// appendString leaves strings with escapes to encoding/json, which writes them as the service does.
func appendString[S ~string](dst []byte, s S) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(string(s)) // encoding a string can't fail
			return append(dst, quoted...)
		}
	}
	return append(append(append(dst, '"'), s...), '"')
}
