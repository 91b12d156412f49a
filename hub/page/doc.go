// Package page shows a client's configuration to people, in a browser, as it changes: environments and filters,
// keys that will expire, changes with what differs, the connection to the service, and who reads from the hub.
//
// A [Page] is a subscriber of the client like any other. It holds nobody up: when changes come faster than it takes
// them, those of one environment are merged.
//
// # What is sent
//
// A browser gets the whole state when it connects, and then what happens. When the connection is lost it comes
// back by itself and gets the whole state again, so that nothing is missing and nothing is there twice. One that
// does not read is cut off.
//
// Keys are masked before they are sent: the last four characters of a key of nine or more, nothing of a shorter one.
//
// Each open page holds a connection. Over HTTP/1 browsers open no more than six to one address, so a seventh page in the
// same browser waits until another is closed.
//
// # Security
//
// A strict Content-Security-Policy forbids everything that the page does not serve itself, and scripts and styles
// within the document. Names are put into the document as text only. Page admits everybody who reaches it: package
// admin decides who does.
package page
