package parts

import (
	"bytes"
	"testing"

	"github.com/relaystream/autoconfig/bench/synth"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patches returns some messages, as a stream and as the data of each.
func patches(n int) (whole []byte, data [][]byte) {
	s := synth.New(synth.Config{Seed: 5, Environments: 20, NameLength: 10, Rotating: 0.5})
	s.Put()
	for block := range s.Blocks(n) {
		whole = append(whole, block...)
		_, rest, _ := bytes.Cut(block, []byte("\ndata: "))
		data = append(data, bytes.Clone(bytes.TrimSuffix(rest, []byte("\n\n"))))
	}
	return whole, data
}

// Whatever is compared must do the same work: in each test all must return the same number.

func TestFramingsAgree(t *testing.T) {
	whole, data := patches(500)
	want := 0
	for _, d := range data {
		want += len(d)
	}
	for _, f := range Framings() {
		if got, err := f.Run(bytes.NewReader(whole)); got != want || err != nil {
			t.Errorf("%s: %d bytes of data and error %v, want %d", f.Name, got, err, want)
		}
	}
}

func TestDecodingsAgree(t *testing.T) {
	_, data := patches(500)
	var want int
	for i, d := range Decodings() {
		got, err := d.Run(data)
		if i == 0 {
			want = got
		}
		if got != want || err != nil || got == 0 {
			t.Errorf("%s: versions add up to %d with error %v, want %d", d.Name, got, err, want)
		}
	}
}

func TestTablesAgree(t *testing.T) {
	_, data := patches(500)
	messages, err := Decoded(data)
	if err != nil {
		t.Fatal(err)
	}
	messages = append(messages, messages[:100]...) // stale
	for _, table := range Tables() {
		if got := table.Run(messages); got != 500 {
			t.Errorf("%s: %d changes, want 500", table.Name, got)
		}
	}
}

func TestOperatorsAgree(t *testing.T) {
	const n = 1000
	var want int64
	for x := range int64(n) {
		if y := addOne(x); notTenth(y) && notEighth(double(y)) {
			want = add(want, double(y))
		}
	}
	for _, o := range Pipelines() {
		if got, err := o.Run(n); got != want || err != nil {
			t.Errorf("%s: %d with error %v, want %d", o.Name, got, err, want)
		}
	}
}

func TestMulticastsAgree(t *testing.T) {
	const subscribers, items = 7, 1000 // more items than may wait
	for _, m := range Multicasts() {
		publish, stop := m.Start(subscribers, items)
		publish()
		if got, want := stop(), subscribers*items*(items-1)/2; got != want {
			t.Errorf("%s: received values add up to %d, want %d", m.Name, got, want)
		}
	}
}
