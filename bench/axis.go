package main

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// ticks returns labelled ticks at multiples of 1, 2 or 5 times a power of ten, few enough to be legible.
func ticks(low, high float64) []plot.Tick {
	const most = 6
	step := math.Pow(10, math.Floor(math.Log10((high-low)/most)))
	for _, times := range []float64{1, 2, 5, 10} {
		if (high-low)/(step*times) <= most {
			step *= times
			break
		}
	}
	var all []plot.Tick
	for n := math.Ceil(low / step); n*step <= high; n++ {
		all = append(all, plot.Tick{Value: n * step, Label: number(n * step)})
	}
	return all
}

// logTicks returns ticks with labels at 1, 2 and 5 times the powers of ten, or only at the powers if there
// are many.
func logTicks(low, high float64) []plot.Tick {
	var all []plot.Tick
	few := high/low < 1000
	for power := math.Pow(10, math.Floor(math.Log10(low))); power <= high; power *= 10 {
		for n := 1.0; n < 10; n++ {
			if v := n * power; v >= low && v <= high {
				tick := plot.Tick{Value: v}
				if n == 1 || few && (n == 2 || n == 5) {
					tick.Label = number(v)
				}
				all = append(all, tick)
			}
		}
	}
	return all
}

// number formats a number with commas between thousands.
func number(x float64) string {
	text := strconv.FormatFloat(math.Round(x*1e6)/1e6, 'f', -1, 64)
	digits := 0
	for digits < len(text) && text[digits] != '.' {
		digits++
	}
	first := 0
	if x < 0 {
		first = 1
	}
	for at := digits - 3; at > first; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
