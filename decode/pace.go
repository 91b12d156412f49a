package decode

import "context"

// stride is how much is read between two looks at the context, in bytes.
const stride = 64 << 10

// A pace makes decoding stop soon after its context has ended.
type pace struct {
	ctx  context.Context
	left int   // bytes until the next look at the context
	err  error // the cause of the context, once it has ended
}

// spend accounts for n bytes and reports whether to go on.
func (p *pace) spend(n int) bool {
	p.left -= n
	return p.left > 0 || p.look()
}

// look looks at the context and reports whether to go on.
func (p *pace) look() bool {
	if p.err == nil && p.ctx.Err() != nil {
		p.err = context.Cause(p.ctx)
	}
	if p.err != nil {
		p.left = 0
		return false
	}
	p.left = stride
	return true
}
