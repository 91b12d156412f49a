package decode

import "context"

// Content decodes data, a PutContent in JSON, as Messages decodes the data of a put: with the same limits, values and
// errors. It is for configurations that do not come as an event, such as a file. The message is a Put. It is also
// valid beside a *RefusedError, for the environments that are not refused. The other errors are a *MalformedError
// and, if ctx ends first, the cause of ctx.
//
// Content panics if MaxListed is negative.
func Content(ctx context.Context, data []byte, o *Options) (Message, error) {
	options := o.resolve()
	d := newDecoder(&options)
	d.budget.ctx = ctx
	var m Message
	err := d.configuration(data, &m)
	if d.budget.err != nil {
		return Message{}, d.budget.err
	}
	if d.unusual > 0 {
		options.OnUnusual(d.unusual)
	}
	return m, err
}

// configuration reads a PutContent that is not part of a put into m.
func (d *decoder) configuration(data []byte, m *Message) error {
	r := d.reader(data)
	var c content
	d.content(r, &c)
	if err := r.finish(); err != nil {
		return malformed(PutEvent, err)
	}
	return d.list(&c, m)
}
