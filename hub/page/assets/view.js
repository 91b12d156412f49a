// The document: what a model says, in rows and figures. Text from outside is set by textContent only.

import { search } from './model.js';
import { describe, element, environmentRow, expiringRow, filterRow, historyRow, logRow, readerRow, stateOf, states } from './rows.js';
import { bytes, count, duration, moment, plural } from './text.js';

const renderEvery = 100; // ms
const announceEvery = 3_000;
const small = matchMedia('(max-width: 720px)');
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const tabs = ['environments', 'expiring', 'filters', 'readers', 'service'];
const $ = id => document.getElementById(id);

// A View shows a model.
export class View {
  link = 'connecting';
  #model = null;
  #tab = 'environments';
  #query = '';
  #sort = { column: 'project', descending: false };
  #limits = {};
  #offset = 0; // the hub's clock minus this one, in ms
  #timer = 0;
  #paused = null; // the log as it was when it was paused
  #news = [];
  #announcing = 0;

  constructor() {
    $('host').textContent = location.host;
    for (const table of document.querySelectorAll('table')) setRoles(table);
    this.#listen();
    this.#select(tabs.includes(location.hash.slice(1)) ? location.hash.slice(1) : 'environments');
    setInterval(() => this.#tick(), 1_000);
  }

  setClock(now) { this.#offset = Date.parse(now) - Date.now(); }

  setLink(link, text) {
    this.link = link;
    $('link').dataset.link = link;
    $('link-text').textContent = text;
  }

  setNotice(text) {
    $('notice').textContent = text;
    $('notice').hidden = !text;
  }

  show(model) {
    this.#model = model;
    if (this.#paused) this.#paused = { log: model.log, total: model.total };
    this.#render();
  }

  // changed renders soon: at once after a quiet time, and otherwise together with what follows.
  changed() { this.#timer ||= setTimeout(() => this.#render(), renderEvery); }

  // logged tells of new changes: rows light up, and a screen reader hears of them.
  logged(entries) {
    this.#news.push(...entries);
    this.#announcing ||= setTimeout(() => this.#announce(), announceEvery);
  }

  #now() { return Date.now() + this.#offset; }

  #listen() {
    $('query').addEventListener('input', event => {
      this.#query = event.target.value;
      this.#limits = {};
      this.#render();
    });
    for (const tab of tabs) {
      $(`tab-${tab}`).addEventListener('click', () => { history.replaceState(null, '', `#${tab}`); this.#select(tab); });
      $(`panel-${tab}`).querySelector('.more').addEventListener('click', () => { this.#limits[tab] = this.#limit(tab) + step(); this.#render(); });
    }
    document.querySelector('[role=tablist]').addEventListener('keydown', event => this.#move(event));
    for (const th of document.querySelectorAll('th[data-sort]')) {
      th.firstElementChild.addEventListener('click', () => this.#sortBy(th.dataset.sort));
    }
    $('pause').addEventListener('click', () => this.#pause());
  }

  #pause() {
    this.#paused = this.#paused ? null : { log: this.#model?.log ?? [], total: this.#model?.total ?? 0 };
    $('pause').setAttribute('aria-pressed', String(this.#paused !== null));
    this.#render();
  }

  // move is what the keys of a tab list do.
  #move(event) {
    const i = tabs.indexOf(this.#tab);
    const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const tab = $(`tab-${tabs[(to + tabs.length) % tabs.length]}`);
    tab.focus();
    tab.click();
  }

  #select(selected) {
    this.#tab = selected;
    for (const tab of tabs) {
      $(`tab-${tab}`).setAttribute('aria-selected', String(tab === selected));
      $(`tab-${tab}`).tabIndex = tab === selected ? 0 : -1;
      $(`panel-${tab}`).hidden = tab !== selected;
    }
    $('search').hidden = selected === 'readers' || selected === 'service';
    this.#render();
  }

  #sortBy(column) {
    this.#sort = { column, descending: this.#sort.column === column && !this.#sort.descending };
    this.#render();
  }

  #limit(tab) { return this.#limits[tab] ?? step(); }

  #render() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (!this.#model) return;
    this.#tiles();
    this[this.#tab]();
    this.#log();
    this.#tick();
  }

  #tiles() {
    const m = this.#model;
    const { readers } = m.pulse;
    const expiring = m.expiring();
    tile('environments', count(m.environments.size), m.synced ? `in ${plural(m.projects(), 'project', 'projects')}` : 'not complete yet');
    tile('expiring', count(expiring.length), expiring.length ? '' : 'none');
    if (expiring.length) {
      $('tab-expiring').querySelector('.note').replaceChildren(element('span', { class: 'wide' }, 'next '), element('time', { 'data-until': expiring[0].key.until }));
    }
    tile('filters', count(m.filters.size), m.filters.size ? `in ${plural(m.filterProjects(), 'project', 'projects')}` : 'none');
    tile('readers', count(readers.total), readers.total ? readers.maxLag ? `up to ${bytes(readers.maxLag)} behind` : 'none is behind' : 'none');
    const [symbol, word] = states[m.status.state];
    const figure = tile('service', '', '');
    figure.replaceChildren(element('span', { class: `symbol ${m.status.state}`, 'aria-hidden': 'true' }, symbol), word);
    $('tab-service').querySelector('.note').replaceChildren(...this.#serviceNote());
    document.title = `${m.status.state === 'valid' ? '' : `${word} \u2013 `}${location.host} \u2013 autoconfig`;
  }

  #serviceNote() {
    const { status } = this.#model;
    if (status.cached) return ['saved configuration'];
    if (status.nextAttempt) return ['next attempt ', element('time', { 'data-until': Date.parse(status.nextAttempt) })];
    return ['for ', element('time', { 'data-since': Date.parse(status.since) })];
  }

  environments() {
    const { column, descending } = this.#sort;
    for (const th of document.querySelectorAll('th[data-sort]')) {
      if (th.dataset.sort === column) th.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
      else th.removeAttribute('aria-sort');
    }
    this.#searched('environments', this.#model.sortedEnvironments(column, descending), environmentRow, ['No environments', 'The service lists none for this key.']);
  }

  expiring() {
    this.#searched('expiring', this.#model.expiring(), expiringRow, ['No key will expire', 'When a key is rotated and the old one stays accepted for a while, it is listed here with the time that is left.']);
  }

  filters() {
    this.#searched('filters', this.#model.sortedFilters(), filterRow, ['No payload filters', 'They are sent by protocol version 2 if a project has any.']);
  }

  readers() {
    const { listed, total } = this.#model.pulse.readers;
    const items = listed.map(r => ({ ...r, id: `${r.address} ${r.since}`, item: JSON.stringify(r) }));
    this.#fill('readers', items, readerRow, ['Nobody reads from this hub', `Point a Relay at ${location.origin} as its stream URI.`]);
    if (total > listed.length) this.#more('readers', `The ${count(listed.length)} furthest behind of ${count(total)} are listed.`, true);
  }

  service() {
    this.#facts();
    const items = this.#model.history.map((h, i) => ({ ...h, id: `${h.at} ${i}`, item: h })).reverse();
    this.#fill('service', items, historyRow, ['Nothing has happened yet', '']);
  }

  #facts() {
    const { status, pulse: { stats } } = this.#model;
    const ago = t => (t ? element('span', {}, element('time', { 'data-since': Date.parse(t) }), ' ago') : 'never');
    const facts = [
      ['State', stateOf(status.state)],
      ['Since', moment(new Date(status.since))],
      ['Up to date', status.outdatedSince ? element('span', {}, 'no, for ', element('time', { 'data-since': Date.parse(status.outdatedSince) })) : 'yes'],
      ['Connections', `${count(stats.connections)} of ${plural(stats.attempts, 'attempt', 'attempts')}`],
      ['Read', `${bytes(stats.bytes)}, ${plural(stats.events, 'event', 'events')}`],
      ['Last read', ago(stats.lastRead)],
      ['Last change', ago(stats.lastChange)],
    ];
    $('facts').replaceChildren(...facts.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))));
  }

  // searched fills a panel with those items that match the query.
  #searched(tab, items, build, empty) {
    const found = search(items, this.#query);
    $('matches').textContent = this.#query.trim() ? `${count(found.length)} of ${count(items.length)}` : '';
    if (!this.#model.synced && !items.length) empty = ['No configuration yet', 'It is shown as soon as the service has sent it.'];
    this.#fill(tab, found, build, empty, items.length > 0);
  }

  // fill brings the rows of a panel up to date, at most as many as its limit.
  #fill(tab, items, build, [title, text], searched = false) {
    const panel = $(`panel-${tab}`);
    const limit = this.#limit(tab);
    reconcile(panel.querySelector('tbody'), items.slice(0, limit), build);
    panel.querySelector('table').hidden = !items.length;
    const empty = panel.querySelector('.empty');
    const before = empty.hidden;
    empty.hidden = items.length > 0;
    if (!items.length && (before || empty.dataset.text !== title + this.#query)) {
      empty.dataset.text = title + this.#query;
      empty.replaceChildren(...(searched ? this.#noMatch() : [element('strong', {}, title), text]));
    }
    this.#more(tab, items.length > limit ? `Show ${count(Math.min(step(), items.length - limit))} more of ${count(items.length - limit)}` : '', false);
  }

  #noMatch() {
    const clear = element('button', { type: 'button' }, 'Clear search');
    clear.addEventListener('click', () => {
      $('query').value = this.#query = '';
      $('query').focus();
      this.#render();
    });
    return [element('strong', {}, `Nothing matches \u201C${this.#query.trim()}\u201D`), 'Each word must occur in a name, an ID, a version such as v12 or the end of a key.', element('br'), clear];
  }

  #more(tab, text, disabled) {
    const more = $(`panel-${tab}`).querySelector('.more');
    more.hidden = !text;
    more.disabled = disabled;
    setText(more, text);
  }

  #log() {
    const { log, total } = this.#paused ?? this.#model;
    const items = log.toReversed().slice(0, step()).map(e => ({ ...e, id: e.number, item: e }));
    reconcile($('log'), items, logRow);
    $('log').hidden = !items.length;
    $('log-empty').hidden = items.length > 0;
    if (!items.length) $('log-empty').replaceChildren(element('strong', {}, 'No changes yet'), 'They appear here as they happen, with what differs.');
    setText($('pause'), this.#paused ? 'Resume' : 'Pause');
    const waiting = this.#model.total - total;
    setText($('log-count'), this.#paused && waiting > 0 ? `${count(waiting)} new` : total > items.length ? `last ${count(items.length)} of ${count(total)}` : '');
  }

  #announce() {
    this.#announcing = 0;
    const news = this.#news.splice(0);
    for (const { change } of news.slice(-step())) flash(change);
    if (this.#paused || !news.length) return;
    $('announcer').textContent = news.length === 1 ? describe(news[0]) : `${plural(news.length, 'change', 'changes')}, the last: ${describe(news.at(-1))}`;
  }

  // tick brings what depends on the clock up to date.
  #tick() {
    const now = this.#now();
    for (const t of document.querySelectorAll('[data-until]')) {
      const left = t.dataset.until - now;
      setText(t, left > 0 ? `in ${duration(left)}` : 'now');
    }
    for (const t of document.querySelectorAll('[data-since]')) setText(t, duration(now - t.dataset.since));
  }
}

// step is how many rows are shown at first, and by how many their number grows.
const step = () => (small.matches ? 20 : 100);

// setRoles says that a table is one, even where the stylesheet lays it out as blocks.
function setRoles(table) {
  table.setAttribute('role', 'table');
  for (const group of table.querySelectorAll('thead, tbody')) group.setAttribute('role', 'rowgroup');
  for (const row of table.querySelectorAll('tr')) row.setAttribute('role', 'row');
  for (const th of table.querySelectorAll('thead th')) th.setAttribute('role', 'columnheader');
}

function setText(e, text) { if (e.textContent !== text) e.textContent = text; }

function tile(tab, figure, note) {
  const e = $(`tab-${tab}`).querySelector('.figure');
  if (figure) setText(e, figure);
  setText($(`tab-${tab}`).querySelector('.note'), note);
  return e;
}

// reconcile makes the children of parent those that build makes of the items. Children of the same items stay.
function reconcile(parent, items, build) {
  const old = new Map([...parent.children].map(child => [child.dataset.id, child]));
  items.forEach((item, i) => {
    const id = String(item.id);
    let child = old.get(id);
    old.delete(id);
    if (!child || child.item !== (item.item ?? item)) {
      const built = build(item);
      built.dataset.id = id;
      built.item = item.item ?? item;
      child?.replaceWith(built);
      child = built;
    }
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
  });
  for (const child of old.values()) child.remove();
}

// flash lights up the row of what has changed.
function flash(change) {
  const id = change.new?.envID ?? change.newFilter?.id;
  if (calm.matches || !id) return;
  const rowOf = document.querySelector(`main tr[data-id="${CSS.escape(id)}"]`);
  rowOf?.animate([{ backgroundColor: getComputedStyle(rowOf).getPropertyValue('--flash') }, { backgroundColor: 'transparent' }], 2_000);
}
