// Package usage measures the resources that the process uses.
package usage

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"
)

// A Usage has the resources that the process uses at one moment. Those that the system doesn't report
// are 0.
type Usage struct {
	// Heap is the size of the live heap in bytes.
	Heap uint64 `json:"heap"`
	// Stacks is the size of all goroutines' stacks in bytes.
	Stacks uint64 `json:"stacks"`
	// Resident is the memory that the process has from the system, in bytes. Go returns unused memory
	// with a delay.
	Resident uint64 `json:"resident"`
	// Goroutines is the number of goroutines.
	Goroutines int `json:"goroutines"`
	// Descriptors is the number of open files and connections.
	Descriptors int `json:"descriptors"`
	// Processor is the processor time that the process has used so far.
	Processor time.Duration `json:"processor"`
}

// Now collects the garbage and returns the usage after that.
func Now() Usage {
	// Finalizers and pools release memory only with the second collection.
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Usage{
		Heap: m.HeapAlloc, Stacks: m.StackInuse, Resident: resident(),
		Goroutines: runtime.NumGoroutine(), Descriptors: descriptors(), Processor: processor(),
	}
}

// AtRest returns unused memory to the system and is then like Now. Before that, it waits until the number
// of goroutines has not changed for a while, for at most a second: net/http ends goroutines some time
// after it has closed their connections.
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
	return len(names) - 1 // without the one for reading the directory
}
