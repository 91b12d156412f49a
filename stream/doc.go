// Package stream is reactive streams on channels and generics.
package stream
