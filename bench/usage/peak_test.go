package usage

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// A peak counts if somebody looked while it lasted, also if it is over at the end. The looks are in virtual time.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 32 << 20
		const most = size - size/8 // the rest of the process needs and releases memory, too
		before := Now().Heap
		stop := Watch()
		held := make([]byte, size)
		time.Sleep(time.Millisecond)
		runtime.KeepAlive(held)
		held = nil
		runtime.GC()
		if peak := stop(); peak < before+most {
			t.Errorf("the peak is %d bytes, want at least %d", peak, before+most)
		}
	})
}
