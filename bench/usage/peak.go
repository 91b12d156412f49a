package usage

import (
	"runtime/metrics"
	"time"
)

// Watch looks at the size of the heap every quarter of a millisecond, until stop is called, which returns the largest
// size in bytes. Garbage counts until it is collected.
func Watch() (stop func() uint64) {
	end, ended := make(chan struct{}), make(chan uint64)
	go func() {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		most := uint64(0)
		look := time.NewTicker(time.Second / 4000)
		defer look.Stop()
		for {
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			select {
			case <-look.C:
			case <-end:
				metrics.Read(sample)
				ended <- max(most, sample[0].Value.Uint64())
				return
			}
		}
	}()
	return func() uint64 {
		close(end)
		return <-ended
	}
}
