package decode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func patchOf(environment string) []byte {
	return []byte(`{"path":"/environments/e1","data":` + environment + `}`)
}

// BenchmarkPatch decodes versions of one environment of which only the name and the version change, and one version in
// forms other than that of the service.
func BenchmarkPatch(b *testing.B) {
	var patches [16][]byte
	for i := range patches {
		env := strings.Replace(plainEnvironment, `"version":7`, fmt.Sprintf(`"version":%d`, 100+i), 1)
		patches[i] = patchOf(strings.Replace(env, "Production", fmt.Sprintf("Production %d", i), 1))
	}
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(patches[0])))
		for i := 0; b.Loop(); i++ {
			var m PatchMessageData
			if err := json.Unmarshal(patches[i%16], &m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("changed", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(patches[0])))
		known := &EnvironmentRep{}
		d := newDecoder(&Options{Known: func([]byte) *EnvironmentRep { return known }})
		for i := 0; b.Loop(); i++ {
			m, err := d.decode(PatchEvent, patches[i%16])
			if err != nil {
				b.Fatal(err)
			}
			*known = *m.Environment.Rep
			known.Version = 0
		}
	})
	b.Run("changed, key sets", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(patchOf(relayOrder))))
		var patches [16][]byte
		for i := range patches {
			patches[i] = patchOf(strings.NewReplacer(`"version":1`, fmt.Sprintf(`"version":%d`, 100+i), "Production", fmt.Sprintf("Production %d", i)).Replace(relayOrder))
		}
		known := &EnvironmentRep{}
		d := newDecoder(&Options{Known: func([]byte) *EnvironmentRep { return known }})
		for i := 0; b.Loop(); i++ {
			m, err := d.decode(PatchEvent, patches[i%16])
			if err != nil {
				b.Fatal(err)
			}
			*known = *m.Environment.Rep
			known.Version = 0
		}
	})
	b.Run("stale", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(patches[0])))
		known := &EnvironmentRep{Version: 1000}
		d := newDecoder(&Options{Known: func([]byte) *EnvironmentRep { return known }})
		for i := 0; b.Loop(); i++ {
			if _, err := d.decode(PatchEvent, patches[i%16]); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, form := range map[string][]byte{
		"escaped names":  unusual(patches[0]),
		"python":         []byte(python(string(patches[0]))),
		"unknown member": bytes.Replace(patches[0], []byte(`,"projKey"`), []byte(`,"tags":["a","b"],"projKey"`), 1),
		"null members":   bytes.Replace(patches[0], []byte(`,"projKey"`), []byte(`,"sdkKeys":null,"mobileKeys":null,"projKey"`), 1),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			d := newDecoder(nil)
			for b.Loop() {
				if _, err := d.decode(PatchEvent, form); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPut decodes a put of 50,000 environments, four to a project.
func BenchmarkPut(b *testing.B) {
	const count = 50_000
	var list []string
	for i := range count {
		list = append(list, fmt.Sprintf(`"e%d":`, i)+strings.NewReplacer(`"e1"`, fmt.Sprintf(`"e%d"`, i),
			"roduction", [...]string{"roduction", "restaging", "retest", "rototype"}[i%4], "shop", fmt.Sprintf("shop-%d", i/4),
			"Web Shop", fmt.Sprintf("Web Shop %d", i/4), "1111", fmt.Sprintf("%04d", i), "0000", fmt.Sprintf("%04d", i), "2222", fmt.Sprintf("%04d", i),
		).Replace(plainEnvironment))
	}
	put := []byte(`{"path":"/","data":{"environments":{` + strings.Join(list, ",") + `}}}`)
	run := func(name string, data []byte, known func(id []byte) *EnvironmentRep) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if m, err := newDecoder(&Options{Known: known}).decode(PutEvent, data); err != nil || m.Put.Len() != count {
					b.Fatal(m, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/env")
		})
	}
	m, err := newDecoder(nil).decode(PutEvent, put)
	if err != nil {
		b.Fatal(err)
	}
	known := map[EnvironmentID]*EnvironmentRep{}
	for _, e := range m.Put.Environments {
		known[e.ID] = e.Rep
	}
	run("nothing known", put, nil)
	run("all known", put, func(id []byte) *EnvironmentRep { return known[EnvironmentID(id)] })
	run("escaped names", unusual(put), nil)
}
