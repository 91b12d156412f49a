package watch

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/relaystream/autoconfig"
)

// maxLog is how many lines of the log of changes are kept.
const maxLog = 500

// A model is what the view shows. It is changed by messages only, on one goroutine.
type model struct {
	service string
	status  autoconfig.Status
	table   *table
	log     []string // the newest last
	now     time.Time

	width, height int
	searching     bool   // keys are text to search for
	search        string // what is searched for
	top           int    // the first row that is shown
}

// Messages of the model, beside those of the terminal.
type (
	changes []autoconfig.Change
	status  autoconfig.Status
	tick    time.Time
)

func newModel(service string) *model {
	return &model{service: service, table: newTable(), now: time.Now(), width: 80, height: 24}
}

// Init implements tea.Model.
func (m *model) Init() tea.Cmd { return nil }

// Update implements tea.Model.
func (m *model) Update(message tea.Msg) (tea.Model, tea.Cmd) {
	switch message := message.(type) {
	case tick:
		m.now = time.Time(message)
	case changes:
		m.changed(message)
	case status:
		m.status = autoconfig.Status(message)
	case tea.WindowSizeMsg:
		m.width, m.height = message.Width, message.Height
	case tea.KeyPressMsg:
		return m, m.press(message)
	}
	return m, nil
}

// changed applies changes, and logs them.
func (m *model) changed(changes []autoconfig.Change) {
	for _, c := range changes {
		m.table.apply(c)
		m.log = append(m.log, m.now.Format("15:04:05 ")+describe(c))
	}
	if excess := len(m.log) - maxLog; excess > 0 {
		m.log = append(m.log[:0], m.log[excess:]...)
	}
}

// press acts upon a key.
func (m *model) press(key tea.KeyPressMsg) tea.Cmd {
	name := key.String()
	if name == "ctrl+c" {
		return tea.Quit
	}
	if m.searching {
		m.edit(key)
		return nil
	}
	switch name {
	case "q":
		return tea.Quit
	case "/":
		m.searching = true
	case "esc":
		m.setSearch("")
	case "up", "k":
		m.top--
	case "down", "j":
		m.top++
	case "pgup":
		m.top -= m.tableHeight()
	case "pgdown", "space":
		m.top += m.tableHeight()
	case "home", "g":
		m.top = 0
	case "end", "G":
		m.top = len(m.table.matching())
	}
	return nil
}

// edit changes the text that is searched for.
func (m *model) edit(key tea.KeyPressMsg) {
	switch key.String() {
	case "enter":
		m.searching = false
	case "esc":
		m.searching = false
		m.setSearch("")
	case "backspace":
		if text := []rune(m.search); len(text) > 0 {
			m.setSearch(string(text[:len(text)-1]))
		}
	default:
		m.setSearch(m.search + key.Text)
	}
}

func (m *model) setSearch(text string) {
	m.search, m.top = text, 0
	m.table.searchFor(text)
}
