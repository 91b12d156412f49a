package page_test

import (
	"bytes"
	"cmp"
	"flag"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/hub/internal/browser"
)

// go test ./hub/page -run Screenshot -screenshot screenshot.png -dark=false
var (
	screenshot = flag.String("screenshot", "", "write a picture of the page to this `file`")
	dark       = flag.Bool("dark", false, "prefer the dark colours in the picture")
	width      = flag.Int64("width", 1360, "of the picture, in pixels")
	height     = flag.Int64("height", 800, "of the picture, in pixels")
)

// TestScreenshot takes the picture that is in README.md.
func TestScreenshot(t *testing.T) {
	s := newStage(t, func(s *stage) {
		s.service.Put(content(32))
		for i, address := range []string{"10.20.1.17:51234", "10.20.4.3:40112", "10.20.7.9:38822"} {
			s.readers = append(s.readers, hub.Reader{Address: address, Since: time.Now().Add(-time.Duration(40*i) * time.Minute), ProtocolVersion: 2, UserAgent: "LDRelay/8.10.2", Lag: i / 2 * 812})
		}
	})
	tab := browser.Open(t)
	tab.Resize(*width, *height)
	tab.Prefer(map[bool]string{false: "light", true: "dark"}[*dark])
	tab.Go(s.url())
	tab.Await(live + ` && ` + rows + ` > 0`)
	changes := []func(e *autoconfig.EnvironmentRep){
		func(e *autoconfig.EnvironmentRep) { e.DefaultTTL = 10 },
		func(e *autoconfig.EnvironmentRep) {
			e.SDKKey = autoconfig.SDKKeyRep{Value: "sdk-SECRETSECRET-9c41", Expiring: expiring(e.SDKKey.Value, 71*time.Second)}
		},
		func(e *autoconfig.EnvironmentRep) { e.EnvName = "Production EU" },
		func(e *autoconfig.EnvironmentRep) {
			e.SDKKey = autoconfig.SDKKeyRep{Value: "sdk-SECRETSECRET-07be", Expiring: expiring(e.SDKKey.Value, 26*time.Hour)}
		},
		func(e *autoconfig.EnvironmentRep) { e.SecureMode, e.MobKey = true, "mob-SECRETSECRET-55d0" },
	}
	for i, which := range []int{9, 17, 12, 16, 18} {
		e := s.service.Content().Environments[environment(which, "", "").EnvID]
		changes[i](&e)
		e.Version++
		s.service.Patch(e)
	}
	s.service.Delete(environment(31, "", "").EnvID, 90)
	tab.Await(`document.querySelectorAll('#log li').length === 7`)
	picture := compress(t, tab.Screenshot())
	if len(picture) > 200_000 {
		t.Errorf("the picture has %d bytes", len(picture))
	}
	if *screenshot != "" {
		if err := os.WriteFile(*screenshot, picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func expiring(key autoconfig.SDKKey, in time.Duration) autoconfig.ExpiringKeyRep {
	return autoconfig.ExpiringKeyRep{Value: key, Timestamp: time.Now().Add(in).UnixMilli()}
}

// palette returns at most 256 of the colours, the first ones, without those that hardly differ from one before.
func palette(colors []color.Color) color.Palette {
	var p color.Palette
	for _, c := range colors {
		if len(p) < 256 && (len(p) == 0 || distance(p[p.Index(c)], c) > 12) {
			p = append(p, c)
		}
	}
	return p
}

func distance(a, b color.Color) int {
	x, y := color.NRGBAModel.Convert(a).(color.NRGBA), color.NRGBAModel.Convert(b).(color.NRGBA)
	return max(int(x.R)-int(y.R), int(y.R)-int(x.R)) + max(int(x.G)-int(y.G), int(y.G)-int(x.G)) + max(int(x.B)-int(y.B), int(y.B)-int(x.B))
}

// compress encodes a PNG with the 256 colours that stand for most of it.
func compress(t *testing.T, picture []byte) []byte {
	t.Helper()
	full, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	bounds := full.Bounds()
	counts := make(map[color.Color]int)
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			counts[full.At(x, y)]++
		}
	}
	colors := slices.SortedFunc(maps.Keys(counts), func(a, b color.Color) int { return cmp.Compare(counts[b], counts[a]) })
	few := image.NewPaletted(bounds, palette(colors))
	nearest := make(map[color.Color]uint8)
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			c := full.At(x, y)
			i, known := nearest[c]
			if !known {
				i = uint8(few.Palette.Index(c))
				nearest[c] = i
			}
			few.SetColorIndex(x, y, i)
		}
	}
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&b, few); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
