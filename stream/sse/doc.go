// Package sse is a client of server-sent events.
//
//	for event, err := range sse.Subscribe(sse.Get(url), nil).All(ctx) {
//		if err != nil {
//			return err // what ended the source for good
//		}
//		fmt.Printf("%s: %s\n", event.Type, event.Data)
//	}
//
// Subscribe is a source that reconnects. Connect is one connection; it ends with the reason for its
// end. Scan parses any io.Reader. FromEventSource makes an observable of a stream of package
// eventsource. All follow WHATWG HTML, section 9.2, and go on with the last event ID, and the
// reconnection time, that a Session remembers.
//
// # Guarantees
//
//  1. Order: events arrive in the order of the stream, one at a time, on the goroutine that subscribed.
//  2. Ownership: the data of an event belongs to whoever got the event, unless the option Borrow is set.
//  3. Memory: one event is bounded (64 MiB by default), and so is what is read ahead of the subscriber.
//     That holds for compressed streams, too. With the option Pieces a large event is not held as a whole.
//  4. Time: dial, TLS handshake, response header and silence each have a limit. No server and no
//     proxy can hold a connection up for longer.
//  5. Termination: cancelling the context, or a yield that returns false, ends a subscription at once,
//     whatever it is waiting for. When it has returned, its goroutines, timers and connections are gone.
//  6. Connections: each attempt makes a network connection of its own. A dead connection, or a name
//     that has moved to another address, affects one attempt only.
//  7. Secrets: no text of an error, and no log, repeats the request's URL, or what a server sent, except
//     a media type or a content coding that looks like a name. Headers that may hold a credential are
//     sent to the origin of the request only.
//
// # Testing
//
// A program that takes a stream.Observable[Event] is tested without a server: stream.FromSlice makes one
// of events. For tests against a server, Subscribe runs in the virtual time of testing/synctest, with an
// http.Client whose transport dials net.Pipe.
package sse
