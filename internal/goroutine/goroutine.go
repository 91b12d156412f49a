// Package goroutine identifies goroutines and waits for them.
package goroutine

import (
	"bytes"
	"context"
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

// Await waits until done is closed. It returns context.Cause(ctx) if ctx ends before.
func Await(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	// Select picks any case that is ready.
	select {
	case <-done:
		return nil
	default:
		return context.Cause(ctx)
	}
}
