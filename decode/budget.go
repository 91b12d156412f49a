package decode

import "context"

// checkEvery is how many bytes are read between two checks of the context.
const checkEvery = 64 << 10

// A budget makes decoding stop soon after its context has ended.
type budget struct {
	ctx  context.Context
	left int   // bytes until the next check
	err  error // the cause of the context, once it has ended
}

// spend spends n bytes and reports whether decoding may go on.
func (b *budget) spend(n int) bool {
	b.left -= n
	return b.left > 0 || b.check()
}

// check checks the context and reports whether decoding may go on.
func (b *budget) check() bool {
	if b.err == nil && b.ctx.Err() != nil {
		b.err = context.Cause(b.ctx)
	}
	if b.err != nil {
		b.left = 0
		return false
	}
	b.left = checkEvery
	return true
}
