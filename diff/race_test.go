//go:build race

package diff

// raced tells that the race detector is at work, with which some values escape to the heap that otherwise do not.
const raced = true
