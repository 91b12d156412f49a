package autoconfig

import (
	"context"

	"github.com/relaystream/autoconfig/params"
	"github.com/relaystream/autoconfig/stream"
)

// MessageHandler defines the methods that StreamManager and Dispatch call. The calls never overlap and come
// in the order of the changes. A method may block: the stream waits for it.
type MessageHandler interface {
	// AddEnvironment is called when there is an environment that was not there before.
	AddEnvironment(params EnvironmentParams)
	// UpdateEnvironment is called when an environment has a new configuration.
	UpdateEnvironment(params EnvironmentParams)
	// ReceivedAllEnvironments is called when a complete configuration has been received and the other
	// methods have been called for everything that it changed.
	ReceivedAllEnvironments()
	// DeleteEnvironment is called when an environment is gone.
	DeleteEnvironment(id EnvironmentID)
	// KeyExpired is called when an SDK key that was announced as expiring is no longer accepted.
	KeyExpired(id EnvironmentID, oldKey SDKKey)
}

// FilterHandler is implemented by a MessageHandler that wants to be told about payload filters, too.
type FilterHandler interface {
	// AddFilter is called when there is a filter that was not there before.
	AddFilter(params FilterParams)
	// DeleteFilter is called when a filter is gone.
	DeleteFilter(id FilterID)
}

// FilterUpdater is implemented by a FilterHandler that tells a changed filter from a new one. For any other
// FilterHandler a change is a DeleteFilter and then an AddFilter.
type FilterUpdater interface {
	// UpdateFilter is called when a filter has changed.
	UpdateFilter(params FilterParams)
}

// Params returns the parameters with which a MessageHandler is told about an environment.
func Params(e *EnvironmentRep) EnvironmentParams { return params.OfEnvironment(e) }

// Dispatch calls handler for each of changes, on the calling goroutine, until changes ends, and returns
// what changes returns. After the end of ctx it makes no call. It is lossless if changes is. A MessageHandler has
// no method for the expiry of a mobile key: it gets an UpdateEnvironment without that key.
func Dispatch(ctx context.Context, changes stream.Observable[Change], handler MessageHandler) error {
	d := dispatcher{ctx: ctx, handler: handler}
	d.filters, _ = handler.(FilterHandler)
	return changes(ctx, func(c Change) bool {
		d.dispatch(&c)
		return true
	})
}

// A dispatcher turns changes into calls.
type dispatcher struct {
	ctx     context.Context
	handler MessageHandler
	filters FilterHandler   // nil if handler is none
	told    *EnvironmentRep // the environment of the last call with params
	params  params.Converter
}

func (d *dispatcher) dispatch(c *Change) {
	switch c.Kind {
	case EnvironmentAdded:
		d.told = c.New
		d.handler.AddEnvironment(d.params.OfEnvironment(c.New))
	case EnvironmentUpdated:
		d.told = c.New
		d.handler.UpdateEnvironment(d.params.OfEnvironment(c.New))
	case EnvironmentDeleted:
		d.params.Forget(c.Old.EnvID)
		d.handler.DeleteEnvironment(c.Old.EnvID)
	case KeyExpired:
		d.expired(c)
	case Synced:
		d.handler.ReceivedAllEnvironments()
	default:
		if d.filters != nil {
			d.filter(c)
		}
	}
}

func (d *dispatcher) expired(c *Change) {
	switch {
	case c.Key.SDKKey != "":
		d.handler.KeyExpired(c.New.EnvID, c.Key.SDKKey)
	case d.told != c.New: // mobile keys of one moment share one environment, and need one call
		d.told = c.New
		d.handler.UpdateEnvironment(d.params.OfEnvironment(c.New))
	}
}

func (d *dispatcher) filter(c *Change) {
	switch c.Kind {
	case FilterAdded:
		d.filters.AddFilter(params.OfFilter(c.NewFilter))
	case FilterUpdated:
		if updater, ok := d.filters.(FilterUpdater); ok {
			updater.UpdateFilter(params.OfFilter(c.NewFilter))
			return
		}
		d.filters.DeleteFilter(c.OldFilter.ID)
		if d.ctx.Err() == nil { // DeleteFilter may have closed the manager
			d.filters.AddFilter(params.OfFilter(c.NewFilter))
		}
	case FilterDeleted:
		d.filters.DeleteFilter(c.OldFilter.ID)
	}
}
