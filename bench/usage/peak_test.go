package usage

import (
	"runtime"
	"testing"
	"time"
)

// A peak counts if it lasts for a while, also if it is over at the end. How long that is depends on the machine.
func TestWatch(t *testing.T) {
	const size = 32 << 20
	const most = size - size/8 // the rest of the process needs and releases memory, too
	before := Now().Heap
	for hold := 10 * time.Millisecond; ; hold *= 2 {
		stop := Watch()
		held := make([]byte, size)
		time.Sleep(hold)
		runtime.KeepAlive(held)
		held = nil
		runtime.GC()
		peak := stop()
		if peak >= before+most {
			return
		}
		if hold > 10*time.Second {
			t.Fatalf("the peak is %d bytes, want at least %d", peak, before+most)
		}
	}
}
