package usage

import (
	"runtime"
	"testing"
	"time"
)

// A peak counts if it lasts for a while, also if it is over at the end.
func TestWatch(t *testing.T) {
	const size = 32 << 20
	before := Now().Heap
	stop := Watch()
	held := make([]byte, size)
	time.Sleep(10 * time.Millisecond) // on any machine the peak is there at the end of a look
	runtime.KeepAlive(held)
	held = nil
	runtime.GC()
	if peak := stop(); peak < before+size {
		t.Errorf("the peak is %d bytes, want at least %d", peak, before+size)
	}
}
