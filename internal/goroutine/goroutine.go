// Package goroutine identifies goroutines.
package goroutine

import (
	"bytes"
	"runtime"
	"strconv"
)

// ID returns the number of the calling goroutine, which is never 0. It has one use: a method that
// waits for a goroutine must know whether it was called on that goroutine. Package runtime has no
// function for this, but a stack trace begins with "goroutine N [".
func ID() uint64 {
	var buf [64]byte
	trace := bytes.TrimPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	number, _, _ := bytes.Cut(trace, []byte(" "))
	id, err := strconv.ParseUint(string(number), 10, 64)
	if err != nil {
		panic("goroutine: unknown form of stack trace") // TestIDsDiffer would fail
	}
	return id
}
