package tap

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestBody calls complete once, at the end, and not at an error.
func TestBody(t *testing.T) {
	for _, keep := range []bool{true, false} {
		var all []string
		body := Body(iotest.DataErrReader(strings.NewReader("abc")), keep, func(data []byte) { all = append(all, string(data)) })
		for range 2 {
			if _, err := io.Copy(io.Discard, body); err != nil {
				t.Error(err)
			}
		}
		if want := map[bool]string{true: "abc", false: ""}[keep]; len(all) != 1 || all[0] != want {
			t.Errorf("keep %t: %q", keep, all)
		}
	}
	fault := errors.New("fault")
	body := Body(iotest.ErrReader(fault), true, func([]byte) { t.Error("complete, in spite of an error") })
	if _, err := io.ReadAll(body); err != fault {
		t.Error(err)
	}
}
