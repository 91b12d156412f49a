// Package autoconfigtest serves the auto-configuration stream to tests, as net/http/httptest serves
// HTTP: a [Server] with a configuration to serve and faults on demand, a [Proxy] that spoils the
// network in front of it, and a [Transcript], a conversation in a text file.
//
//	srv := autoconfigtest.NewServer("key")
//	defer srv.Close()
//	srv.Put(decode.PutContent{Environments: …})
//	srv.Next(autoconfigtest.Status(503), autoconfigtest.Cut(100))
//	// the first connection is answered with 503, the second is cut within its first message
//
// [NewServer] and [NewTLSServer] listen on the loopback interface. [NewPipeServer] needs no socket:
// the same server speaks the same HTTP over pipes in memory, so that it and its client can live in
// a testing/synctest bubble, where a read timeout of five minutes passes in no time.
//
// What holds for all of them:
//
//  1. A connection accepted after the first Put begins with a put of the current content; one
//     accepted earlier is silent until then. Every later change reaches it once and in order. There
//     is no moment at which a change is neither in a connection's first put nor sent after it.
//  2. Methods that send never wait for a client: what a client has not read yet is queued without
//     bound. A client that doesn't read holds up no other. [Server.AwaitDrained] waits.
//  3. Nothing waits for longer than its context allows, and nothing polls.
//  4. When Close has returned, all connections are closed and all goroutines have ended, whatever
//     the clients do. Close may be called more than once.
//  5. All methods may be called from any goroutine, but none that waits, nor Close, from within a
//     [Handle] fault.
//  6. Formatting a Server or a [Request] doesn't reveal the key. Headers and query of a Request
//     and the content of a Server are real when looked at one by one.
package autoconfigtest
