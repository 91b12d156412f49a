package serve

import (
	"context"
	"log/slog"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/file"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/cli"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/demo"
)

// An upstream is where the configuration comes from.
type upstream struct {
	key     autoconfig.AutoConfigKey // that of the readers, too
	options *autoconfig.Options      // of the client
	demo    bool
	close   func()
}

// upstream returns what the flags say, and starts the demonstration if that is what they say.
func (f *flags) upstream(p *cli.Process, log *slog.Logger) (*upstream, error) {
	up := &upstream{key: demo.Key, demo: f.demo, close: func() {}}
	if !f.demo {
		var err error
		if up.key, err = f.service.Key(p); err != nil {
			return nil, err
		}
	}
	switch {
	case f.demo:
		up.options = up.play()
	case f.file != "":
		up.options = &autoconfig.Options{Source: file.Source(f.file, nil)}
	default:
		var err error
		if up.options, err = f.service.Options(p); err != nil {
			return nil, err
		}
	}
	up.options.Logger = log
	if f.cache != "" {
		up.options.Cache = &autoconfig.FileCache{Path: f.cache}
	}
	return up, nil
}

// play starts the demonstration's service, until the upstream is closed.
func (u *upstream) play() *autoconfig.Options {
	service := autoconfigtest.NewServer(string(demo.Key))
	ctx, cancel := context.WithCancel(context.Background())
	played := make(chan struct{})
	go func() {
		defer close(played)
		demo.Play(ctx, service, 1)
	}()
	u.close = func() {
		cancel()
		<-played
		service.Close()
	}
	return &autoconfig.Options{BaseURI: service.URL}
}
