package decode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type seed struct {
	event uint8 // put, patch, delete
	data  []byte
}

// plainEnvironment is an environment in the wire's usual form.
const plainEnvironment = `{"envID":"e1","envKey":"production","envName":"Production","projKey":"shop","projName":"Web Shop",` +
	`"sdkKey":{"value":"sdk-11111111-new","expiring":{"value":"sdk-00000000-old","timestamp":1700000000000}},` +
	`"mobKey":"mob-22222222","defaultTtl":5,"secureMode":true,"version":7}`

// relayOrder has the members in the order of Relay's own type, and concurrent keys.
const relayOrder = `{"envID":"e1","envKey":"production","envName":"Production","mobKey":"mob-22222222","projKey":"shop","projName":"Web Shop",` +
	`"sdkKey":{"value":"sdk-11111111-new","expiring":{}},"sdkKeys":[{"key":"a","value":"sdk-11111111-new","hasViews":false},{"key":"b","value":"sdk-3","expiry":1700000000000,"hasViews":true}],` +
	`"mobileKeys":[{"key":"m","value":"mob-22222222","hasViews":false}],"defaultTtl":0,"secureMode":false,"version":1}`

// unanchored lacks the current key in its set.
var unanchored = strings.Replace(relayOrder, `"sdk-11111111-new","hasViews"`, `"sdk-other","hasViews"`, 1)

// environments are forms of an environment by what is particular to them.
var environments = map[string]string{
	"usual":                            plainEnvironment,
	"relay's order, arrays":            relayOrder,
	"no expiring key":                  strings.Replace(plainEnvironment, `,"expiring":{"value":"sdk-00000000-old","timestamp":1700000000000}`, ``, 1),
	"no SDK key":                       strings.Replace(plainEnvironment, `"sdkKey":{"value":"sdk-11111111-new","expiring":{"value":"sdk-00000000-old","timestamp":1700000000000}},`, ``, 1),
	"empty":                            `{}`,
	"null":                             `null`,
	"not an object":                    `[1]`,
	"whitespace":                       strings.ReplaceAll(plainEnvironment, `,`, ` , `),
	"escape in a name":                 strings.Replace(plainEnvironment, `Production`, `Pro\u0064 \"x\" \\`, 1),
	"escaped member name":              strings.Replace(plainEnvironment, `envName`, `envN\u0061me`, 1),
	"name in other case":               strings.Replace(plainEnvironment, `envName`, `ENVNAME`, 1),
	"both cases of a name":             strings.Replace(plainEnvironment, `"envName":"Production"`, `"envName":"a","EnvName":"b"`, 1),
	"duplicate member":                 strings.Replace(plainEnvironment, `"version":7`, `"version":7,"version":8`, 1),
	"duplicate object merges":          strings.Replace(plainEnvironment, `"mobKey"`, `"sdkKey":{"expiring":{"timestamp":1}},"mobKey"`, 1),
	"duplicate array":                  strings.Replace(relayOrder, `"mobileKeys"`, `"sdkKeys":[{"value":"sdk-11111111-new"}],"mobileKeys"`, 1),
	"arrays three times":               strings.Replace(relayOrder, `"sdkKeys":`, `"sdkKeys":[{"key":"x","value":"y","expiry":5,"hasViews":true},{},{"key":"z"},{"expiry":6},{"expiry":7}],"sdkKeys":[{}],"sdkKeys":[{},{"expiry":8,"expiry":null},null,{"expiry":9}],"sdkKeys":[{"value":"sdk-11111111-new"}],"sdkKeys":`, 1),
	"arrays with null between":         strings.Replace(relayOrder, `"sdkKeys":`, `"sdkKeys":[{"key":"x","value":"y","expiry":5}],"sdkKeys":null,"sdkKeys":[{"value":"sdk-11111111-new"}],"skip":`, 1),
	"arrays with an empty one between": strings.Replace(relayOrder, `"sdkKeys":`, `"sdkKeys":[{"key":"x","value":"y","expiry":5}],"sdkKeys":[],"sdkKeys":[{"value":"sdk-11111111-new"}],"skip":`, 1),
	"array emptied by a later one":     strings.Replace(relayOrder, `"mobileKeys"`, `"sdkKeys":[],"mobileKeys"`, 1),
	"odd key behind usual ones":        strings.Replace(relayOrder, `"hasViews":false},{"key":"b"`, `"expiry":5,"hasViews":true},{"key":"b","value":"sdk-4","expiry":6},{"x":1`, 1),
	"array of other types":             strings.Replace(relayOrder, `"sdkKeys":[`, `"sdkKeys":[1,"a",{"value":7},`, 1),
	"long s and Kelvin sign fold":      strings.NewReplacer(`sdkKey"`, "\u017fd\u212aKey\"", `mobKey`, `mob\u212aey`).Replace(plainEnvironment),
	"escapes of every kind":            strings.Replace(plainEnvironment, `Production`, `\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00\ud83d\ud83d\ude00\ude00\ud83dx\u0000\uABCD\uEF09\uabcd\uef1A`, 1),
	"escape cut short":                 strings.Replace(plainEnvironment, `Production`, `\u12`, 1),
	"unknown escape":                   strings.Replace(plainEnvironment, `Production`, `\x`, 1),
	"escape and control character":     strings.Replace(plainEnvironment, `Production`, "\\n\x01", 1),
	"version minus zero":               strings.Replace(plainEnvironment, `:7}`, `:-0}`, 1),
	"version of minus":                 strings.Replace(plainEnvironment, `:7}`, `:-}`, 1),
	"version with dot":                 strings.Replace(plainEnvironment, `:7}`, `:7.}`, 1),
	"version with bare exponent":       strings.Replace(plainEnvironment, `:7}`, `:7e+}`, 1),
	"version true":                     strings.Replace(plainEnvironment, `:7}`, `:true}`, 1),
	"version is min int64":             strings.Replace(plainEnvironment, `:7}`, `:-9223372036854775808}`, 1),
	"literal cut short":                strings.Replace(plainEnvironment, `true`, `tru`, 1),
	"key object as string":             strings.Replace(relayOrder, `{"value":"sdk-11111111-new","expiring":{}}`, `"x"`, 1),
	"expiring as array":                strings.Replace(relayOrder, `"expiring":{}`, `"expiring":[{}]`, 1),
	"unknown member":                   strings.Replace(plainEnvironment, `"version"`, `"future":{"a":[1,"}"]},"version"`, 1),
	"null members":                     strings.Replace(plainEnvironment, `"Production"`, `null`, 1),
	"null key object":                  `{"envID":"e1","sdkKey":null,"version":1}`,
	"empty arrays":                     `{"envID":"e1","sdkKeys":[],"mobileKeys":[],"version":1}`,
	"null array":                       `{"envID":"e1","sdkKeys":null,"version":1}`,
	"non-ASCII":                        strings.Replace(plainEnvironment, `Production`, `Größe ☃ 😀`, 1),
	"invalid UTF-8":                    strings.Replace(plainEnvironment, `Production`, "a\xff\xfeb", 1),
	"half a surrogate pair":            strings.Replace(plainEnvironment, `Production`, `\ud83d`, 1),
	"control character":                strings.Replace(plainEnvironment, `Production`, "a\tb", 1),
	"DEL is plain":                     strings.Replace(plainEnvironment, `Production`, "a\x7fb", 1),
	"version as float":                 strings.Replace(plainEnvironment, `:7}`, `:7.0}`, 1),
	"version with exponent":            strings.Replace(plainEnvironment, `:7}`, `:7e2}`, 1),
	"version with leading zero":        strings.Replace(plainEnvironment, `:7}`, `:07}`, 1),
	"version zero":                     strings.Replace(plainEnvironment, `:7}`, `:0}`, 1),
	"version negative":                 strings.Replace(plainEnvironment, `:7}`, `:-7}`, 1),
	"version is max int64":             strings.Replace(plainEnvironment, `:7}`, `:9223372036854775807}`, 1),
	"version is max int64 plus 1":      strings.Replace(plainEnvironment, `:7}`, `:9223372036854775808}`, 1),
	"version past 32 bits":             strings.Replace(plainEnvironment, `:7}`, `:2147483648}`, 1),
	"version of 18 digits":             strings.Replace(plainEnvironment, `:7}`, `:123456789012345678}`, 1),
	"TTL as float":                     strings.Replace(plainEnvironment, `"defaultTtl":5`, `"defaultTtl":5.0`, 1),
	"TTL past 32 bits":                 strings.Replace(plainEnvironment, `"defaultTtl":5`, `"defaultTtl":4294967301`, 1),
	"version with 19 nines":            strings.Replace(plainEnvironment, `:7}`, `:9999999999999999999}`, 1),
	"version as string":                strings.Replace(plainEnvironment, `:7}`, `:"7"}`, 1),
	"secure mode as number":            strings.Replace(plainEnvironment, `true`, `1`, 1),
	"timestamp negative":               strings.Replace(plainEnvironment, `1700000000000`, `-1`, 1),
	"wrong ID":                         strings.Replace(plainEnvironment, `"e1"`, `"e2"`, 1),
	"anchor missing":                   unanchored,
	"mobile anchor missing":            strings.Replace(relayOrder, `"value":"mob-22222222"`, `"value":"mob-3"`, 1),
	"empty key in the set":             strings.Replace(relayOrder, `"sdk-3"`, `""`, 1),
	"truncated":                        plainEnvironment[:100],
	"trailing comma":                   strings.Replace(plainEnvironment, `:7}`, `:7,}`, 1),
}

// encoders returns puts of one configuration as the encoders of other languages write them: encoding/json, Gson, Jackson, JSON.stringify
// and Python's json, each also with white space.
func encoders(tb testing.TB) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob("testdata/encoders/*.json")
	if err != nil || len(files) == 0 {
		tb.Fatal(len(files), err)
	}
	puts := make(map[string][]byte, len(files))
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		puts[filepath.Base(file)] = data
	}
	return puts
}

// TestEncoders: what the encoders of all languages write means the same.
func TestEncoders(t *testing.T) {
	puts := encoders(t)
	want, err := newDecoder(nil).decode(PutEvent, puts["go.json"])
	if err != nil || len(want.Put.Environments) != 2 || len(want.Put.Filters) != 1 {
		t.Fatal(want, err)
	}
	for name, data := range puts {
		got, err := newDecoder(nil).decode(PutEvent, data)
		if err != nil || unordered(summary(got)) != unordered(summary(want)) {
			t.Errorf("%s: %v\ngot  %s\nwant %s", name, err, summary(got), summary(want))
		}
	}
}

func corpus(tb testing.TB) []seed {
	seeds := []seed{
		{0, []byte(`{"path":"/","data":{"environments":{}}}`)},
		{0, []byte(`{"path":"/","data":{"environments":{},"filters":{}}}`)},
		{0, []byte(`{"path":"/","data":{"filters":{"f":{"projKey":"p","key":"k","version":1}},"environments":{"e1":` + plainEnvironment + `}}}`)},
		{0, []byte(`{"path":"/","data":{"environments":{"e1":` + plainEnvironment + `},"environments":{"e1":` + relayOrder + `}}}`)},
		{0, []byte(`{"path":"/","data":{"environments":{"e1":` + plainEnvironment + `,"e1":` + relayOrder + `}}}`)},
		{0, []byte(`{"path":"/","data":{"environments":{"e1":` + relayOrder + `,"e0":` + strings.ReplaceAll(plainEnvironment, "e1", "e0") + `}}}`)},
		{0, []byte(`{"path":"/","data":{"environments":{"e1":` + plainEnvironment + `}},"data":null}`)},
		{0, []byte(`{"path":"/","data":{"environments":{"e1":` + plainEnvironment + `}},"data":null,"data":{"environments":{},"filters":{"f":{"version":1}}},"data":{"filters":{"f":null}}}`)},
		{0, []byte(`{"path":"/","data":{"environments":null}}`)},
		{0, []byte(`{"path":"/","data":{"environments":[]}}`)},
		{0, []byte(`{"path":"/","data":{}}`)},
		{0, []byte(`{"path":"/"}`)},
		{0, []byte(`{"path":"/other","data":{"environments":{}}}`)},
		{0, []byte(`{"path":"/filters","data":[1]}`)},
		{0, []byte(`{"data":{"environments":{"e1":{"version":"x"}}},"path":"/filters"}`)},
		{0, []byte(`{"path":"/environments/e1","data":{"environments":{"e1":{"version":-1}}}}`)},
		{0, []byte(`{"path":"/filters","data":[1}`)},
		{0, []byte(`{"path":"/","data":{"environments":{"e1":` + unanchored + `,"e1":` + relayOrder + `}}}`)},
		{0, []byte(`{"path":"/","data":{"environments":{"e1":` + relayOrder + `,"e1":` + unanchored + `}}}`)},
		{0, []byte(`{"path":"/","data":{"environments":{"e1":{"version":-1},"e1":` + relayOrder + `}}}`)},
		{0, []byte(`{"path":"/","data":{"environments":{"e1":` + relayOrder + `,"e1":{"version":-1}}}}`)},
		{0, []byte(`{"path":1,"data":{"environments":{}}}`)},
		{0, []byte(`{"path":"/","data":{"environments":{"e\u0031":` + plainEnvironment + `}}}`)},
		{0, []byte(`{"path":"/","data":{"environments":{}}} `)},
		{0, []byte(`{"path":"/","data":{"environments":{}}}x`)},
		{0, []byte(`{"path":"/","data":{"environments":{},"filters":[]}}`)},
		{0, []byte(`{"path":"/","data":{"environments":{},"filters":[],"filters":{"f":{"version":1}}}}`)},
		{0, []byte(`{"path":"/","data":{"environments":{},"filters":[],"filters":null}}`)},
		{0, []byte(`{"path":"/","data":{"environments":{},"filters":{"f":1,"g":{"version":-1},"h":{"version":"x"},"i":{"version":2}}}}`)},
		{1, []byte(`{"path":"/filters/f","data":{"projKey":"p","key":"k","version":3}}`)},
		{1, []byte(`{"path":"/filters/f","data":{"projKey":1}}`)},
		{1, []byte(`{"path":"/filters/f"}`)},
		{1, []byte(`{"path":"/flags/f","data":7}`)},
		{1, []byte(`{"path":"/environments/","data":{}}`)},
		{1, []byte(`{"path":"/environments/a/b","data":{"envID":"a/b"}}`)},
		{1, []byte(`{"path":"environments/e1","data":` + plainEnvironment + `}`)},
		{1, []byte(`{"data":` + plainEnvironment + `,"path":"/environments/e1"}`)},
		{1, []byte(`{"path":"/environments/e1","data":` + plainEnvironment + `,"data":{"version":9}}`)},
		{1, []byte(`{"data":{"envID":1,"version":1},"data":{"envID":"e1","envName":2},"path":"/environments/e1"}`)},
		{1, []byte(`{"data":{"envID":1},"data":{},"path":"/environments/e1"}`)},
		{1, []byte(`{"data":{"projKey":"p","version":3,"sdkKey":1},"path":"/filters/f"}`)},
		{0, []byte(`{"path":"/","data":{"environments":{"":{"envID":"","version":1}},"filters":{"":{"version":1}}}}`)},
		{0, []byte(`{"path":"/","data":{"environments":{"e":{"\`)},
		{0, []byte(`{"path":"/","data":{"filters":{"\`)},
		{1, []byte(``)}, {1, []byte(`null`)}, {1, []byte(`{`)},
		{2, []byte(`{"path":"/environments/e1","version":12}`)},
		{2, []byte(`{"path":"environments/e1","version":12}`)},
		{2, []byte(`{"path":"/environments/e1","version":4294967308}`)},
		{2, []byte(`{"path":"/environments/e1","version":-12}`)},
		{2, []byte(`{"path":"/environments/e1","version":1.5}`)},
		{2, []byte(`{"path":"/environments/e1"}`)},
		{2, []byte(`{"version":{},"version":-3,"path":"/environments/e1"}`)},
		{2, []byte(`{"version":{},"version":3,"path":"/environments/e1"}`)},
		{2, []byte(`{"path":"/filters/f","version":3}`)},
		{2, []byte(`{"path":"/filters/f","version":-3}`)},
		{2, []byte(`{"path":"/filters/f","version":{}}`)},
		{2, []byte(`{"path":"/flags/f","version":3}`)},
	}
	for _, data := range encoders(tb) {
		seeds = append(seeds, seed{0, data})
		var put struct {
			Data struct{ Environments map[string]json.RawMessage }
		}
		if err := json.Unmarshal(data, &put); err != nil {
			tb.Fatal(err)
		}
		for id, env := range put.Data.Environments {
			seeds = append(seeds, seed{1, []byte(`{"path":"/environments/` + id + `","data":` + string(env) + `}`)})
		}
	}
	seeds = append(seeds, seed{1, append(patchOf(plainEnvironment), 'x')}, seed{2, []byte(`{"path":"/environments/e1","version":1}x`)})
	for _, env := range environments {
		seeds = append(seeds,
			seed{1, []byte(`{"path":"/environments/e1","data":` + env + `}`)},
			seed{0, []byte(`{"path":"/","data":{"environments":{"e0":` + strings.ReplaceAll(plainEnvironment, "e1", "e0") + `,"e1":` + env + `}}}`)})
	}
	const unknown = `{"?":[{"?":null},"?",-1.5e+7,true,false]}`
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(relayOrder), &members); err != nil {
		tb.Fatal(err)
	}
	for name, value := range members {
		member := `"` + name + `":`
		for _, instead := range []string{
			member + `null,` + member, member + string(value) + `,` + member, // before the usual one
			fmt.Sprintf(`"\u%04x%s":`, name[0], name[1:]), // only the general path reads it
		} {
			seeds = append(seeds, seed{1, patchOf(strings.Replace(relayOrder, member, instead, 1))})
		}
	}
	for _, s := range seeds {
		// The same with an unknown member in each object, and the same with white space of two kinds.
		if data := strings.ReplaceAll(string(s.data), `{"`, `{"?":`+unknown+`,"`); data != string(s.data) {
			seeds = append(seeds, seed{s.event, []byte(data)})
		}
		if data := python(string(s.data)); data != string(s.data) {
			seeds = append(seeds, seed{s.event, []byte(data)})
		}
		var indented bytes.Buffer
		if json.Indent(&indented, s.data, "\r", "\t") == nil {
			seeds = append(seeds, seed{s.event, indented.Bytes()})
		}
	}
	own, err := json.Marshal(PatchMessageData{Path: "/environments/e1", Data: EnvironmentRep{EnvID: "e1", EnvName: "<&>", Version: 1}})
	if err != nil {
		tb.Fatal(err)
	}
	return append(seeds, seed{1, own})
}

// python returns data with the white space of Python's encoder.
func python(data string) string {
	return strings.NewReplacer(`":`, `": `, `,"`, `, "`, `},{`, `}, {`).Replace(data)
}
