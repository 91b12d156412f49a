// Package usage reads what the process takes up.
package usage

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"
)

// A Usage is what the process takes up at one moment. What the system doesn't tell is 0.
type Usage struct {
	// Heap is what of the heap is in use after a collection, and Stacks what all goroutines' stacks
	// take, in bytes.
	Heap   uint64 `json:"heap"`
	Stacks uint64 `json:"stacks"`
	// Resident is the memory that the system has given to the process, in bytes: Go gives back late
	// what it no longer needs.
	Resident uint64 `json:"resident"`
	// Goroutines and Descriptors are how many there are; descriptors are open files and connections.
	Goroutines  int `json:"goroutines"`
	Descriptors int `json:"descriptors"`
}

// Now collects the garbage and returns what is left.
func Now() Usage {
	// Twice: what a finalizer or a pool holds on to is gone after the second.
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Usage{
		Heap: m.HeapAlloc, Stacks: m.StackInuse, Resident: resident(),
		Goroutines: runtime.NumGoroutine(), Descriptors: descriptors(),
	}
}

// AtRest is Now when the number of goroutines has not changed for a while, because net/http ends some
// of them after it has closed their connection, and when free memory was given back to the system. It
// waits for at most a second.
func AtRest() Usage {
	const look, enough = 5 * time.Millisecond, 6
	before, same := runtime.NumGoroutine(), 0
	for deadline := time.Now().Add(time.Second); same < enough && time.Now().Before(deadline); same++ {
		time.Sleep(look)
		if n := runtime.NumGoroutine(); n != before {
			before, same = n, 0
		}
	}
	debug.FreeOSMemory()
	return Now()
}

func resident() uint64 {
	text, err := os.ReadFile("/proc/self/statm") // sizes in pages: all, resident, …
	if err != nil {
		return 0
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseUint(string(fields[1]), 10, 64)
	return pages * uint64(os.Getpagesize())
}

func descriptors() int {
	names, err := os.ReadDir("/dev/fd")
	if err != nil {
		return 0
	}
	return len(names) - 1 // without the directory's own
}
