package watch

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/internal/quote"
)

// lines of the screen that are neither rows of the table nor of the log: status, error, head of the table, head of the
// log, and keys.
const fixedLines = 5

var (
	strong = ansi.Style{}.Bold()
	faint  = ansi.Style{}.Faint()
	head   = ansi.Style{}.Reverse(true)
	good   = ansi.Style{}.Bold().ForegroundColor(ansi.Green)
	bad    = ansi.Style{}.Bold().ForegroundColor(ansi.Red)
)

// View implements tea.Model.
func (m *model) View() tea.View {
	lines := []string{m.statusLine(), m.errorLine()}
	lines = append(lines, m.tableLines()...)
	lines = append(lines, m.logLines()...)
	lines = append(lines, m.keyLine())
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, m.width, "…")
	}
	view := tea.NewView(strings.Join(lines, "\n"))
	view.AltScreen = true
	view.WindowTitle = "autoconfig watch"
	return view
}

func (m *model) statusLine() string {
	style := good
	if m.status.State != autoconfig.Valid {
		style = bad
	}
	state := style.Styled("● " + m.status.State.String())
	return fmt.Sprintf("%s  %s  %d environments, %d filters", state, strong.Styled(m.service), len(m.table.rows), m.table.filters)
}

// errorLine says what keeps the client from being connected, and when it tries again.
func (m *model) errorLine() string {
	s := m.status
	if s.State == autoconfig.Valid || s.Err == nil {
		return faint.Styled(fmt.Sprintf("since %s", s.Since.Local().Format(time.DateTime)))
	}
	line := quote.Line(s.Err.Error())
	if !s.NextAttempt.IsZero() {
		line += fmt.Sprintf("; trying again in %v", max(0, s.NextAttempt.Sub(m.now)).Round(time.Second))
	}
	return line
}

// tableHeight is how many rows of the table fit. The log gets a third of the rest.
func (m *model) tableHeight() int { return max(1, (m.height-fixedLines)*2/3) }

func (m *model) tableLines() []string {
	rows, height := m.table.matching(), m.tableHeight()
	m.top = max(0, min(m.top, len(rows)-height))
	lines := []string{head.Styled(m.pad(m.columns("PROJECT", "ENVIRONMENT", "VERSION", "SDK KEY", "MOBILE KEY", "EXPIRES IN", "ID")))}
	for i := range height {
		line := ""
		switch {
		case m.top+i < len(rows):
			r := rows[m.top+i]
			line = m.columns(r.project, r.name, r.version, r.sdkKey, r.mobileKey, m.countdown(r.expiry), r.id)
		case i == 0:
			line = faint.Styled(m.emptiness())
		}
		lines = append(lines, line)
	}
	return lines
}

// emptiness says why the table has no row.
func (m *model) emptiness() string {
	switch {
	case m.search != "":
		return "nothing matches"
	case m.status.State == autoconfig.Initializing:
		return "waiting for the configuration"
	default:
		return "there are no environments"
	}
}

// columns lays out one line of the table. The two names share what the others leave.
func (m *model) columns(project, name, version, sdkKey, mobileKey, expiry, id string) string {
	const others = 8 + 9 + 11 + 11
	names := max(8, min(28, (m.width-others-9)/2))
	return fit(project, names) + fit(name, names) + fit(version, 8) + fit(sdkKey, 9) + fit(mobileKey, 11) + fit(expiry, 11) + id
}

// fit returns s with exactly the width, the last cell of which is empty.
func fit(s string, width int) string {
	s = ansi.Truncate(s, width-1, "…")
	return s + strings.Repeat(" ", width-ansi.StringWidth(s))
}

func (m *model) pad(s string) string {
	return s + strings.Repeat(" ", max(0, m.width-ansi.StringWidth(s)))
}

func (m *model) countdown(t time.Time) string {
	switch left := t.Sub(m.now); {
	case t.IsZero():
		return ""
	case left >= 48*time.Hour:
		return fmt.Sprintf("%d days", left/(24*time.Hour))
	default:
		return max(0, left).Round(time.Second).String()
	}
}

func (m *model) logLines() []string {
	height := max(0, m.height-fixedLines-m.tableHeight())
	lines := []string{head.Styled(m.pad("CHANGES"))}
	from := max(0, len(m.log)-height)
	lines = append(lines, m.log[from:]...)
	for range height - (len(m.log) - from) {
		lines = append(lines, "")
	}
	return lines
}

func (m *model) keyLine() string {
	switch {
	case m.searching:
		return strong.Styled("/"+m.search+"█") + faint.Styled("  enter: keep  esc: clear")
	case m.search != "":
		return strong.Styled("/"+m.search) + faint.Styled(fmt.Sprintf("  %d found  /: search  esc: clear  q: quit", len(m.table.matching())))
	default:
		return faint.Styled("/: search  ↑ ↓ PgUp PgDn: scroll  q: quit")
	}
}
