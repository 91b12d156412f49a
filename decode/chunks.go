package decode

// appendTo appends v to a list in chunks. A slice that grows copies all before, and takes several times as much memory.
func appendTo[T any](chunks [][]T, v T) [][]T {
	const first, most = 16, 1024
	last := len(chunks) - 1
	if last < 0 || len(chunks[last]) == cap(chunks[last]) {
		size := first
		if last >= 0 {
			size = min(2*cap(chunks[last]), most)
		}
		chunks = append(chunks, make([]T, 0, size))
		last++
	}
	chunks[last] = append(chunks[last], v)
	return chunks
}
