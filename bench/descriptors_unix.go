//go:build unix

package main

import (
	"math"
	"syscall"
)

// maxDescriptors returns how many files and connections the process may have open.
func maxDescriptors() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxInt
	}
	return int(min(uint64(limit.Cur), math.MaxInt32)) //nolint:unconvert // its type differs between systems
}
