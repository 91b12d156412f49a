package synth

import (
	"bytes"
	"encoding/json"

	"github.com/relaystream/autoconfig/decode"
)

// rename gives the environment a name with characters outside ASCII, or with escapes.
func (s *Stream) rename(rep *decode.EnvironmentRep) {
	rep.EnvName = s.name() + [...]string{" <&>", " \"quoted\" \\", " Überprüfung", " 本番環境 🚀"}[s.rng.IntN(4)]
}

// appendUnusual appends a patch of the environment in an unusual form.
func (s *Stream) appendUnusual(dst []byte, rep *decode.EnvironmentRep) []byte {
	text := appendPatchJSON(nil, rep)
	switch s.rng.IntN(4) {
	case 0:
		text = indented(text)
	case 1:
		text = sorted(text)
	case 2:
		text = bytes.ReplaceAll(text, []byte("/"), []byte(`\/`))
	}
	dst = append(dst, "event: patch\n"...)
	for line := range bytes.Lines(text) {
		dst = append(append(dst, "data: "...), bytes.TrimSuffix(line, []byte("\n"))...)
		dst = append(dst, '\n')
	}
	return append(dst, '\n')
}

func indented(text []byte) []byte {
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "\t"); err != nil {
		panic(err) // this package wrote text
	}
	return out.Bytes()
}

// sorted sorts the members of every object alphabetically.
func sorted(text []byte) []byte {
	var value any
	reader := json.NewDecoder(bytes.NewReader(text))
	reader.UseNumber()
	if err := reader.Decode(&value); err != nil {
		panic(err) // this package wrote text
	}
	out, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return out
}
