// Package goroutine tells goroutines apart.
package goroutine

import (
	"bytes"
	"runtime"
	"strconv"
)

// ID returns the number of the calling goroutine, never 0. It is for one question only: whether a
// method that waits for a goroutine was called on that goroutine itself. Package runtime does not
// say, but its stack trace begins with "goroutine N [".
func ID() uint64 {
	var buf [64]byte
	trace := bytes.TrimPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	number, _, _ := bytes.Cut(trace, []byte(" "))
	id, err := strconv.ParseUint(string(number), 10, 64)
	if err != nil {
		panic("goroutine: stack trace of unknown form") // a test holds the runtime to it
	}
	return id
}
