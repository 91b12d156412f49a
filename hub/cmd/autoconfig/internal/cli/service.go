package cli

import (
	"context"
	"fmt"

	"github.com/relaystream/autoconfig"
)

// KeyVariable is the environment variable with the auto-configuration key. It has the name that Relay gives it.
const KeyVariable = "AUTO_CONFIG_KEY"

const keyHelp = `The auto-configuration key is in the environment variable AUTO_CONFIG_KEY, or in the file that -key-file names,
which is read again at each attempt to connect. It is never an argument, which other users of the machine could see.
Proxies and additional root certificates are named by the usual variables: HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE.
`

// ErrNoKey reports that there is no auto-configuration key: neither KeyVariable nor a file has one.
var ErrNoKey = fmt.Errorf("there is no auto-configuration key: set %s, or name a file with -key-file: %w", KeyVariable, autoconfig.ErrInvalidKey)

// A Service is where the configuration comes from, and the key to it, as flags say.
type Service struct {
	StreamURI      string
	AllowPlainHTTP bool
	KeyFile        string
}

// Register adds the flags.
func (s *Service) Register(f *Flags) {
	f.StringVar(&s.StreamURI, "stream-uri", autoconfig.DefaultBaseURI, "`URI` of the service, or of a hub, without the stream's path")
	f.BoolVar(&s.AllowPlainHTTP, "allow-plain-http", false, "permit a stream URI of http to another host, which sends the key in the clear")
	f.StringVar(&s.KeyFile, "key-file", "", "`FILE` with the auto-configuration key; takes precedence over "+KeyVariable)
}

// Options returns options for a client of the service, without a logger. The error is ErrNoKey, or else matches
// autoconfig.ErrInvalidKey or is about the key's file; the same may happen later, at an attempt to connect.
func (s *Service) Options(p *Process) (*autoconfig.Options, error) {
	if _, err := s.Key(p); err != nil {
		return nil, err
	}
	key := func(context.Context) (autoconfig.AutoConfigKey, error) { return s.Key(p) }
	return &autoconfig.Options{BaseURI: s.StreamURI, AllowPlainHTTP: s.AllowPlainHTTP, Key: key}, nil
}

// Key returns the key as it is now.
func (s *Service) Key(p *Process) (autoconfig.AutoConfigKey, error) {
	text, err := p.Secret(KeyVariable, s.KeyFile)
	key := autoconfig.AutoConfigKey(text)
	switch {
	case err != nil:
		return "", err
	case key == "":
		return "", ErrNoKey
	case !key.Valid():
		return "", autoconfig.ErrInvalidKey
	}
	return key, nil
}
