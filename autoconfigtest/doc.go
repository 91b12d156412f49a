// Package autoconfigtest serves the auto-configuration stream to tests, as net/http/httptest serves
// HTTP: a [Server] serves a configuration, with faults on demand; a [Proxy] in front of it breaks
// connections; a [Transcript] is a conversation in a text file.
//
//	srv := autoconfigtest.NewServer("key")
//	defer srv.Close()
//	srv.Put(decode.PutContent{Environments: …})
//	srv.Next(autoconfigtest.Status(503), autoconfigtest.Cut(100))
//	// the first request is answered with 503, the second connection is cut within its first message
//
// [NewServer] and [NewTLSServer] listen on the loopback interface. [NewPipeServer] needs no socket:
// it speaks the same HTTP over pipes in memory, so a server and its clients can live in a
// testing/synctest bubble, where a read timeout of five minutes passes at once.
//
// All of them guarantee:
//
//  1. A connection accepted after the first Put begins with a put of the current content; one
//     accepted earlier is silent until then. Every later change reaches it once and in order. No
//     change is lost between a connection's first put and the messages after it.
//  2. Methods that send never wait for a client: what a client has not read yet is queued without
//     limit. A client that doesn't read doesn't delay others. [Server.AwaitDrained] waits.
//  3. Nothing waits longer than its context allows, and nothing polls.
//  4. When Close returns, all connections are closed and all goroutines have ended, whatever the
//     clients do. Close may be called more than once.
//  5. All methods are safe for concurrent use. A [Handle] fault must not call Close, nor a method
//     that waits.
//  6. Formatting a Server or a [Request] doesn't reveal the key. The fields of a Request and the
//     content of a Server hold the real values.
package autoconfigtest
