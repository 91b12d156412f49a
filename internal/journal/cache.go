package journal

import (
	"log/slog"

	"github.com/relaystream/autoconfig/cache"
)

// Cache records what happened to the saved configuration.
func (j *Journal) Cache(e cache.Event) {
	switch e.Kind {
	case cache.Loaded:
		j.Note(slog.LevelInfo, "loaded saved configuration", slog.Int("environments", e.Environments), slog.Int("filters", e.Filters))
	case cache.NotFound:
		j.Note(slog.LevelDebug, "no saved configuration")
	case cache.LoadFailed:
		j.Note(slog.LevelWarn, "saved configuration not loaded", slog.Any("error", e.Err))
	case cache.SetAsideFailed:
		j.Note(slog.LevelWarn, "saved configuration not set aside", slog.Any("error", e.Err))
	case cache.Saved:
		j.Note(slog.LevelDebug, "configuration saved", slog.Int("environments", e.Environments), slog.Int("filters", e.Filters))
	case cache.SaveFailed:
		j.Note(slog.LevelWarn, "configuration not saved", slog.Any("error", e.Err))
	}
}
