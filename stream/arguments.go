package stream

// require panics with a sentence about what is wrong if an argument can't be used. Operators call it
// when they are called, not when they are subscribed to, so that the stack names the mistake.
func require(ok bool, wrong string) {
	if !ok {
		panic("stream: " + wrong)
	}
}
