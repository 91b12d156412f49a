package watch

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/cli"
	"github.com/relaystream/autoconfig/stream"
)

// Changes reach the view in batches, so that a burst is drawn a few times and not thousands of times.
const (
	batchSize = 1024
	batchTime = 50 * time.Millisecond
)

// show runs the view until its user quits, ctx ends or the client does. It returns why the client has ended.
func show(ctx context.Context, p *cli.Process, options *autoconfig.Options, more ...tea.ProgramOption) error {
	client, err := autoconfig.Open(ctx, "", options)
	if err != nil {
		return err
	}
	defer client.Close()
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	programOptions := append([]tea.ProgramOption{
		tea.WithContext(ctx), tea.WithInput(p.Stdin), tea.WithOutput(p.Stdout), tea.WithoutSignalHandler(),
	}, more...)
	program := tea.NewProgram(newModel(host(options.BaseURI)), programOptions...)

	var ended error
	var feeders sync.WaitGroup
	feeders.Go(func() {
		batches := stream.BatchTime(client.Changes(), batchSize, batchTime)
		err := feed(inner, program, batches, func(batch []autoconfig.Change) tea.Msg { return changes(batch) })
		if inner.Err() == nil { // the client has ended
			ended = err
			program.Quit()
		}
	})
	feeders.Go(func() {
		_ = feed(inner, program, client.Status(), func(s autoconfig.Status) tea.Msg { return status(s) })
	})
	feeders.Go(func() {
		_ = feed(inner, program, stream.Interval(time.Second), func(now time.Time) tea.Msg { return tick(now) })
	})
	_, err = program.Run()
	cancel()
	feeders.Wait()
	if ctx.Err() != nil && errors.Is(err, tea.ErrProgramKilled) {
		err = nil // it was interrupted
	}
	return errors.Join(ended, err)
}

// feed sends the values of o to the program, as messages, until ctx or o ends.
func feed[T any](ctx context.Context, program *tea.Program, o stream.Observable[T], message func(T) tea.Msg) error {
	return o.ForEach(ctx, func(v T) error {
		program.Send(message(v))
		return nil
	})
}

// host returns the host of a URI, without credentials.
func host(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return u.Host
}
