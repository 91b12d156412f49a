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
	publish func(ctx context.Context) error // for the fleet, until ctx ends; nil without one
	closers []func()
}

// close ends what the upstream has started.
func (u *upstream) close() {
	for _, c := range u.closers {
		c()
	}
}

// upstream returns what the flags say. It starts the service of the demonstration and connects to NATS if they say so.
func (f *flags) upstream(p *cli.Process, log *slog.Logger) (*upstream, error) {
	up := &upstream{key: demo.Key, demo: f.demo}
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
	if f.nats != "" {
		if err := up.join(f, p, log); err != nil {
			up.close()
			return nil, err
		}
	}
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
	u.closers = append(u.closers, func() {
		cancel()
		<-played
		service.Close()
	})
	return &autoconfig.Options{BaseURI: service.URL}
}
