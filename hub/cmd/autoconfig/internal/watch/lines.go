package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/internal/quote"
)

var discard = slog.New(slog.DiscardHandler)

// A record is a change in JSON. The change masks its keys, and so do the fields.
type record struct {
	Time   time.Time          `json:"time"`
	Change autoconfig.Change  `json:"change"`
	Fields []autoconfig.Field `json:"fields,omitempty"`
}

// printLines writes each change as a line to out. While out does not take any, the connection waits.
func printLines(ctx context.Context, out io.Writer, asJSON bool, options *autoconfig.Options) error {
	print := printText
	if asJSON {
		print = printJSON
	}
	return autoconfig.Observe("", options).ForEach(ctx, func(c autoconfig.Change) error {
		return print(out, time.Now().UTC(), c)
	})
}

func printJSON(out io.Writer, now time.Time, c autoconfig.Change) error {
	return json.NewEncoder(out).Encode(record{Time: now.Truncate(time.Millisecond), Change: c, Fields: differences(c)})
}

func printText(out io.Writer, now time.Time, c autoconfig.Change) error {
	_, err := io.WriteString(out, now.Format("2006-01-02T15:04:05.000Z ")+describe(c)+"\n")
	return err
}

// describe returns one line about a change, with what differs.
func describe(c autoconfig.Change) string {
	var b strings.Builder
	b.WriteString(c.String())
	separator := ": "
	for _, field := range differences(c) {
		fmt.Fprintf(&b, "%s%s %s → %s", separator, field.Path, value(field.Old), value(field.New))
		separator = ", "
	}
	return b.String()
}

// differences returns what differs between the items of an update, other than the version.
func differences(c autoconfig.Change) (fields []autoconfig.Field) {
	if c.Kind != autoconfig.EnvironmentUpdated && c.Kind != autoconfig.FilterUpdated {
		return nil
	}
	for _, field := range c.Fields() {
		if field.Path != "Version" {
			fields = append(fields, field)
		}
	}
	return fields
}

func value(s string) string {
	if s == "" {
		return "(none)"
	}
	return quote.Line(s)
}
