package main

import "testing"

func TestNumber(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0", 0.2: "0.2", 3 * 0.1: "0.3", 999: "999", 1000: "1,000", 1234567.5: "1,234,567.5", -100: "-100", -1234: "-1,234",
	} {
		if got := number(x); got != want {
			t.Errorf("%v is written %s, want %s", x, got, want)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, high := range []float64{0.1, 1, 7, 22, 1205, 17_000, 2e6} {
		all := ticks(0, high)
		if len(all) < 3 || len(all) > 7 || all[0].Value != 0 || all[len(all)-1].Value > high {
			t.Errorf("up to %v: %v", high, all)
		}
	}
}
