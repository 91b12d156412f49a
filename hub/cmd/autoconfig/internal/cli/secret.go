package cli

import (
	"errors"
	"io"
	"os"
	"strings"
)

// maxSecret bounds how much of a secret's file is read, in bytes.
const maxSecret = 4096

// errTooLong reports a file that is longer than a secret.
var errTooLong = errors.New("the file is too long for a secret")

// Secret returns what the file holds, or without a file what the environment variable does, without the space around it.
func (p *Process) Secret(variable, path string) (string, error) {
	if path == "" {
		return strings.TrimSpace(p.Getenv(variable)), nil
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	if err == nil && len(text) > maxSecret {
		err = &os.PathError{Op: "read", Path: path, Err: errTooLong}
	}
	return strings.TrimSpace(string(text)), err
}
