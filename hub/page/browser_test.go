package page_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/hub/internal/browser"
	"github.com/relaystream/autoconfig/hub/page"
)

const (
	live = `document.getElementById('link').dataset.link === 'live'`
	lost = `document.getElementById('link').dataset.link === 'lost'`
	rows = `document.querySelectorAll('#panel-environments tbody tr').length`
)

// text is the text of the element that a selector finds; empty if there is none.
func text(selector string) string {
	return fmt.Sprintf(`(document.querySelector(%q)?.textContent ?? '')`, selector)
}

func includes(selector, want string) string {
	return fmt.Sprintf(`%s.includes(%q)`, text(selector), want)
}

// visit opens the page of a stage in a browser of its own, and returns when it is live.
func visit(t *testing.T, s *stage) *browser.Tab {
	t.Helper()
	tab := browser.Open(t)
	tab.Go(s.url())
	tab.Await(live)
	return tab
}

// fine fails the test if the page has done what it should not.
func fine(t *testing.T, tab *browser.Tab) {
	t.Helper()
	for _, problem := range tab.Problems() {
		t.Error(problem)
	}
}

func TestBrowserShowsWhatHappens(t *testing.T) {
	s := newStage(t, func(s *stage) { s.service.Put(content(5)) })
	tab := visit(t, s)
	tab.Await(rows + ` === 5`)
	tab.Eval(`window.notReloaded = 1`)

	e := environment(0, "Checkout", "Production")
	e.Version, e.EnvName = 77, "Production (EU)"
	s.service.Patch(e)
	tab.Await(includes("#panel-environments tbody", "Production (EU)"))
	tab.Await(includes("#log li", "Updated") + ` && ` + includes("#log li del", "Production") + ` && ` + includes("#log li ins", "Production (EU)"))
	tab.Await(includes("#announcer", "Production (EU)"))

	s.service.Delete(e.EnvID, 78)
	tab.Await(rows + ` === 4 && ` + includes("#log li", "Deleted"))
	s.service.Stop()
	tab.Await(includes("#tab-service", "Interrupted"))
	s.service.Restart()
	tab.Await(includes("#tab-service", "Connected"))
	tab.Click("#tab-service")
	tab.Await(`document.querySelectorAll('#panel-service tbody tr').length >= 3`)
	tab.Await(`window.notReloaded === 1`)
	fine(t, tab)
}

func TestBrowserSearches(t *testing.T) {
	s := newStage(t, func(s *stage) {
		all := content(3000)
		found := environment(5, "Payments", "Production")
		found.EnvID, found.EnvName, found.Version, found.SDKKey.Value = "needle-id", "Haystack", 4711, "sdk-SECRETSECRET-n33d"
		all.Environments[found.EnvID] = found
		s.service.Put(all)
	})
	tab := visit(t, s)
	tab.Await(includes("#tab-environments", "3,001"))
	tab.Await(rows + ` === 100`)
	tab.Click("#panel-environments .more")
	tab.Await(rows + ` === 200`)
	for _, query := range []string{"needle-id", "haystack", "HAYSTACK pay", "v4711", "n33d"} {
		tab.Eval(`document.getElementById('query').value = ''`)
		tab.Type("#query", query)
		tab.Await(rows + ` === 1 && ` + includes("#matches", "1 of 3,001") + ` && ` + includes("#panel-environments tbody", "Haystack"))
	}
	tab.Type("#query", " nowhere")
	tab.Await(includes("#panel-environments .empty", "Nothing matches"))
	tab.Click("#panel-environments .empty button")
	tab.Await(rows + ` === 100 && document.activeElement.id === 'query'`)

	tab.Click(`th[data-sort="version"] button`)
	tab.Click(`th[data-sort="version"] button`)
	tab.Await(`document.querySelector('th[data-sort="version"]').ariaSort === 'descending' && ` + includes("#panel-environments tbody tr", "4711"))
	fine(t, tab)
}

func TestBrowserCountsDown(t *testing.T) {
	s := newStage(t, func(s *stage) {
		all := content(2)
		for i, in := range []time.Duration{50 * time.Minute, 30 * time.Hour} {
			e := environment(i, "Checkout", []string{"Production", "Staging"}[i])
			e.SDKKey.Expiring = autoconfig.ExpiringKeyRep{Value: "sdk-SECRETSECRET-old" + autoconfig.SDKKey(strconv.Itoa(i)), Timestamp: time.Now().Add(in).UnixMilli()}
			all.Environments[e.EnvID] = e
		}
		s.service.Put(all)
	})
	tab := visit(t, s)
	tab.Click("#tab-expiring")
	const first = `document.querySelector('#panel-expiring tbody time').textContent`
	tab.Await(includes("#panel-expiring tbody tr", "old0") + ` && ` + includes("#panel-expiring tbody", "1 d 5 h"))
	was := tab.Eval(first)
	tab.Await(first + ` !== ` + was)

	// A key that expires is gone, and the log tells.
	e := environment(0, "Checkout", "Production")
	e.Version = 99
	e.SDKKey.Expiring = autoconfig.ExpiringKeyRep{Value: "sdk-SECRETSECRET-old0", Timestamp: time.Now().Add(5 * time.Second).UnixMilli()}
	s.service.Patch(e)
	tab.Await(includes("#log li", "Key expired") + ` && ` + includes("#log li", "***old0"))
	tab.Await(`document.querySelectorAll('#panel-expiring tbody tr').length === 1`)
	fine(t, tab)
}

// TestBrowserSurvivesARestart ends the hub while the page is open, changes things, and starts it at the same address.
func TestBrowserSurvivesARestart(t *testing.T) {
	s := newStage(t, func(s *stage) { s.service.Put(content(5)) })
	tab := visit(t, s)
	tab.Await(rows + ` === 5`)
	s.service.Delete(environment(4, "", "").EnvID, 100)
	tab.Await(rows + ` === 4`)
	s.stop()
	tab.Await(lost + ` && ` + includes("#notice", "Disconnected") + ` && ` + rows + ` === 4`)
	e := environment(1000, "Checkout", "After the restart")
	s.service.Patch(e)
	s.start()
	tab.Await(live + ` && ` + rows + ` === 5 && ` + includes("#panel-environments tbody", "After the restart"))
	tab.Await(`document.getElementById('notice').hidden`)
	// The log is the new hub's: one entry, the complete configuration.
	tab.Await(`document.querySelectorAll('#log li').length === 1 && ` + includes("#log li", "5 environments"))
	e.Version++
	s.service.Patch(e)
	tab.Await(`document.querySelectorAll('#log li').length === 2`)
	fine(t, tab)
}

// TestBrowserReturnsWhenThereIsRoom has more browsers than the hub allows.
func TestBrowserReturnsWhenThereIsRoom(t *testing.T) {
	s := newStage(t, func(s *stage) { s.service.Put(content(5)); s.options = &page.Options{MaxViewers: 1} })
	first := visit(t, s)
	second := browser.Open(t)
	second.Go(s.url())
	second.Await(lost)
	first.Go("about:blank")
	second.Await(live + ` && ` + rows + ` === 5`)
	fine(t, second)
}

func TestBrowserShowsNamesAsText(t *testing.T) {
	const evil = `<script>alert(1)</script><img src=x onerror=alert(2)>`
	const evilID = `<img src=x onerror=alert(3)>` // a slash would end it
	s := newStage(t, func(s *stage) {
		e := environment(0, evil, evil)
		e.EnvID, e.EnvKey, e.ProjKey = evilID, evil, evil
		s.service.Put(autoconfig.PutContent{
			Environments: map[autoconfig.EnvironmentID]autoconfig.EnvironmentRep{e.EnvID: e},
			Filters:      map[autoconfig.FilterID]autoconfig.FilterRep{evil: {ProjKey: evil, FilterKey: evil, Version: 1}},
		})
		s.readers = []hub.Reader{{Address: "127.0.0.1:1", UserAgent: evil}}
	})
	tab := visit(t, s)
	e := environment(0, evil, evil+"2")
	e.EnvID, e.Version = evilID, 1000
	s.service.Patch(e)
	tab.Await(includes("#log li", evil+"2"))
	for _, panel := range []string{"environments", "filters", "readers"} {
		tab.Click("#tab-" + panel)
		tab.Await(includes("#panel-"+panel+" tbody", evil))
	}
	tab.Click("#tab-environments")
	tab.Type("#query", evil+" nowhere")
	tab.Await(includes("#panel-environments .empty", evil))
	if n := tab.Eval(`document.querySelectorAll('body script, main img, aside img').length`); n != "0" {
		t.Errorf("%s elements were made of names", n)
	}
	fine(t, tab)
}

// TestBrowserEnforcesThePolicy shows that the tests above would notice.
func TestBrowserEnforcesThePolicy(t *testing.T) {
	tab := visit(t, newStage(t, nil))
	for _, violation := range []string{
		`document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))`,
		`document.body.insertAdjacentHTML('beforeend', '<p style="color: red">x</p>')`,
		`document.body.append(Object.assign(document.createElement('img'), {src: 'http://127.0.0.1:1/x.png'}))`,
		`void fetch('http://127.0.0.1:1/').catch(() => 0)`,
		`document.body.append(Object.assign(document.createElement('iframe'), {src: location.href}))`,
	} {
		tab.Eval(`(() => { ` + violation + `; return 0 })()`)
		for start := time.Now(); !strings.Contains(strings.Join(tab.Problems(), "\n"), "Content Security Policy"); {
			if time.Since(start) > time.Minute {
				t.Fatalf("nobody has complained of %s", violation)
			}
		}
	}
	if ran := tab.Eval(`window.ran`); ran != "undefined" {
		t.Error("the script has run")
	}
}

// unreadable lists the texts whose contrast to their background is below 4.5, what WCAG 2 demands of text.
const unreadable = `(() => {
	const canvas = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d', {willReadFrequently: true});
	const rgba = color => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); return canvas.getImageData(0, 0, 1, 1).data; };
	const light = c => [0.2126, 0.7152, 0.0722].reduce((sum, f, i) => { const v = c[i] / 255; return sum + f * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); }, 0);
	const ground = e => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return rgba('white'); };
	const bad = [];
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; n = walk.nextNode();) {
		const e = n.parentElement;
		if (!n.textContent.trim() || !e.checkVisibility() || e.closest('.hidden, .skip')) continue;
		const [a, b] = [light(rgba(getComputedStyle(e).color)), light(ground(e))];
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < 4.5) bad.push(n.textContent.trim() + ' ' + ratio.toFixed(2));
	}
	return bad;
})()`

// nameless lists what a screen reader could not name, or not find its way in.
const nameless = `[
	...[...document.querySelectorAll('button, [role=tab]')].filter(e => e.checkVisibility() && !e.textContent.trim()),
	...[...document.querySelectorAll('input')].filter(e => !e.labels.length),
	...[...document.querySelectorAll('th')].filter(e => !e.scope),
	...[...document.querySelectorAll('table')].filter(e => !e.caption || e.role !== 'table'),
	...[...document.querySelectorAll('img')].filter(e => !e.hasAttribute('alt')),
	...[...document.querySelectorAll('[aria-controls], [aria-labelledby]')].filter(e => !document.getElementById(e.getAttribute('aria-controls') ?? e.getAttribute('aria-labelledby'))),
].map(e => e.outerHTML.slice(0, 100))`

// TestBrowserCanBeReadByAll checks every panel, light and dark, on a desktop and on a phone.
func TestBrowserCanBeReadByAll(t *testing.T) {
	s := newStage(t, func(s *stage) {
		all := content(40)
		e := environment(0, strings.Repeat("Averylongnamewithoutaspace", 8), strings.Repeat("W", 200))
		e.SDKKey.Expiring = autoconfig.ExpiringKeyRep{Value: "sdk-SECRETSECRET-old0", Timestamp: time.Now().Add(time.Hour).UnixMilli()}
		all.Environments[e.EnvID] = e
		s.service.Put(all)
		s.readers = []hub.Reader{{Address: "[2001:db8:1234:5678:9abc:def0:1234:5678]:51234", UserAgent: strings.Repeat("x", 300), Lag: 1 << 20}}
	})
	tab := visit(t, s)
	for i, name := range []string{"Staging", "Test"} {
		e := environment(i+1, "Checkout", name+" 2")
		e.Version = 100
		s.service.Patch(e)
	}
	s.service.Delete(environment(3, "", "").EnvID, 100)
	tab.Await(`document.querySelectorAll('#log li').length === 4`)
	backgrounds := make(map[string]string)
	for _, scheme := range []string{"light", "dark"} {
		tab.Prefer(scheme)
		backgrounds[scheme] = tab.Eval(`getComputedStyle(document.body).backgroundColor`)
		for _, width := range []int64{1440, 900, 320} {
			tab.Resize(width, 800)
			for _, panel := range []string{"environments", "expiring", "filters", "readers", "service"} {
				tab.Eval(`document.getElementById('tab-` + panel + `').click() ?? 0`)
				where := fmt.Sprintf("%s, %s, %d pixels", panel, scheme, width)
				if bad := tab.Eval(unreadable); bad != "[]" {
					t.Errorf("%s: too little contrast: %s", where, bad)
				}
				if bad := tab.Eval(nameless); bad != "[]" {
					t.Errorf("%s: without a name: %s", where, bad)
				}
				if wide := tab.Eval(`document.documentElement.scrollWidth`); wide != strconv.FormatInt(width, 10) {
					t.Errorf("%s: the page is %s pixels wide", where, wide)
				}
			}
		}
	}
	if backgrounds["light"] == backgrounds["dark"] {
		t.Error("dark is as light")
	}
	fine(t, tab)
}

func TestBrowserObeysTheKeyboard(t *testing.T) {
	tab := visit(t, newStage(t, func(s *stage) { s.service.Put(content(5)) }))
	tab.Eval(`document.getElementById('tab-environments').focus() ?? 0`)
	for _, step := range []struct{ key, panel string }{{"ArrowRight", "expiring"}, {"ArrowLeft", "environments"}, {"ArrowLeft", "service"}, {"Home", "environments"}, {"End", "service"}} {
		tab.Press(step.key)
		tab.Await(fmt.Sprintf(`document.activeElement.id === 'tab-%s' && document.activeElement.ariaSelected === 'true' && !document.getElementById('panel-%[1]s').hidden`, step.panel))
	}
	fine(t, tab)
}

// TestBrowserPausesTheLog reads the log in peace while changes go on.
func TestBrowserPausesTheLog(t *testing.T) {
	s := newStage(t, func(s *stage) { s.service.Put(content(5)) })
	tab := visit(t, s)
	tab.Await(`document.querySelectorAll('#log li').length === 1`)
	tab.Click("#pause")
	for i := range 3 {
		e := environment(0, "Checkout", "Production")
		e.Version = 100 + i
		s.service.Patch(e)
	}
	tab.Await(includes("#log-count", "3 new") + ` && document.querySelectorAll('#log li').length === 1 && ` + includes("#panel-environments tbody", "102"))
	tab.Click("#pause")
	tab.Await(`document.querySelectorAll('#log li').length === 4`)
	fine(t, tab)
}
