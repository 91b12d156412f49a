package main

import "testing"

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		why    string
		values []float64
		want   spread
	}{
		{"one value is all three", []float64{7}, spread{7, 7, 7}},
		{"the values need not be sorted", []float64{3, 1, 2}, spread{Median: 2, Min: 1, Max: 3}},
		{"an even number has two in the middle", []float64{4, 1, 2, 9}, spread{Median: 3, Min: 1, Max: 9}},
	} {
		if got := spreadOf(c.values); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.why, got, c.want)
		}
	}
}

func TestChosen(t *testing.T) {
	list, err := chosen("put-*,patches")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range list {
		names = append(names, s.name)
	}
	if len(names) != 3 || names[0] != "patches" {
		t.Errorf("chosen are %v, want patches and two puts in the order of scenarios", names)
	}
	if _, err := chosen("patches,no-such"); err == nil {
		t.Error("a name that is no scenario's is accepted")
	}
}
