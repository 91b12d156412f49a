// Package request knows which requests for the auto-configuration stream are right.
package request

import (
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Path is the path of the stream, below that of the base URI.
const Path = "/relay_auto_config"

// Check returns the protocol version that a request for the stream asks for, or the status to refuse it with: 405, 406,
// 401 or 400, in this order. authorized reports whether the values of its Authorization header are right. The path is for
// the caller to check.
func Check(r *http.Request, authorized func(authorization []string) bool) (version, status int) {
	version, ok := protocolVersion(r.URL.Query())
	switch {
	case r.Method != http.MethodGet:
		return 0, http.StatusMethodNotAllowed
	case !acceptsEvents(r.Header):
		return 0, http.StatusNotAcceptable
	case !authorized(r.Header["Authorization"]):
		return 0, http.StatusUnauthorized
	case !ok:
		return 0, http.StatusBadRequest
	}
	return version, 0
}

func protocolVersion(query url.Values) (int, bool) {
	values := query["rpacProtocolVersion"]
	if len(values) == 0 {
		return 1, true
	}
	version, err := strconv.Atoi(values[0])
	return version, len(values) == 1 && err == nil && version > 0
}

func acceptsEvents(header http.Header) bool {
	for accepted := range strings.SplitSeq(strings.Join(header["Accept"], ","), ",") {
		if mediaType, _, err := mime.ParseMediaType(accepted); err == nil && mediaType == "text/event-stream" {
			return true
		}
	}
	return false
}
