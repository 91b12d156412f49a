// Package upstream is where a client gets its messages from: one HTTP connection to the auto-configuration stream
// or, in its place, a source of the caller's. One subscription is one attempt to connect, and ends with an error.
package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// ErrInvalidKey reports a key that is not decode.AutoConfigKey.Valid.
var ErrInvalidKey = errors.New("autoconfig: invalid auto-configuration key: must be visible ASCII and not empty")

// Begin is called when an attempt begins, and returns its key. An error ends the attempt.
type Begin = func(context.Context) (decode.AutoConfigKey, error)

// Key calls provider, which Options.Key is, and checks the key that it returns.
func Key(ctx context.Context, provider Begin) (decode.AutoConfigKey, error) {
	key, err := provider(ctx)
	if err != nil {
		return "", fmt.Errorf("autoconfig: key provider: %w", err)
	}
	if !key.Valid() {
		return "", ErrInvalidKey
	}
	return key, nil
}

// Connect is one connection to address. The options are those of sse.Connect.
func Connect(address, userAgent string, begin Begin, o *sse.ConnectOptions) stream.Observable[sse.Event] {
	return sse.Connect(func(ctx context.Context) (*http.Request, error) {
		key, err := begin(ctx)
		if err != nil {
			return nil, err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", string(key))
		request.Header.Set("User-Agent", userAgent)
		return request, nil
	}, o)
}
