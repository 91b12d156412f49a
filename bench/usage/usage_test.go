package usage

import (
	"os"
	"runtime"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Usage includes what is in use, and no longer what has been released.
func TestUsage(t *testing.T) {
	if _, err := os.Stat("/proc/self/statm"); err != nil {
		t.Skip("this system tells less")
	}
	const size, files = 32 << 20, 3
	before := AtRest()
	held := make([]byte, size)
	for i := range held {
		held[i] = 1 // the system assigns a page when it is written
	}
	var open []*os.File
	for range files {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, f)
	}
	stop := make(chan struct{})
	go func() { <-stop }()
	during := Now()
	runtime.KeepAlive(held)
	close(stop)
	for _, f := range open {
		_ = f.Close()
	}
	after := AtRest()
	const most = size - size/8 // the rest of the process needs and releases memory, too
	if during.Processor <= before.Processor {
		t.Errorf("processor time before %v, during %v", before.Processor, during.Processor)
	}
	if during.Heap < before.Heap+most || during.Resident < most || after.Heap > during.Heap-most {
		t.Errorf("%d bytes: before %+v, during %+v, after %+v", size, before, during, after)
	}
	if during.Descriptors != before.Descriptors+files || after.Descriptors != before.Descriptors {
		t.Errorf("%d files: before %+v, during %+v, after %+v", files, before, during, after)
	}
	if during.Goroutines != before.Goroutines+1 || after.Goroutines != before.Goroutines {
		t.Errorf("a goroutine: before %+v, during %+v, after %+v", before, during, after)
	}
}
