// The rows of the tables and of the log. Text from outside becomes text nodes, and nothing else.

import { bytes, clock, count, fieldName, fieldValue, moment, plural } from './text.js';

const maxKeys = 6;   // shown of an environment
const maxFields = 8; // shown of a change
const kinds = {
  'environment added': ['added', '+', 'Added'], 'environment updated': ['updated', '\u2022', 'Updated'], 'environment deleted': ['deleted', '\u2212', 'Deleted'],
  'filter added': ['added', '+', 'Filter added'], 'filter updated': ['updated', '\u2022', 'Filter updated'], 'filter deleted': ['deleted', '\u2212', 'Filter deleted'],
  'key expired': ['expired', '\u00D7', 'Key expired'], synced: ['synced', '\u2713', 'Complete configuration'],
};
export const states = {
  valid: ['\u2713', 'Connected'], initializing: ['\u2026', 'Starting'], interrupted: ['!', 'Interrupted'], off: ['\u00D7', 'Ended'],
};

// element makes an element with children: elements and text.
export function element(name, attributes = {}, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children.filter(c => c !== null));
  return e;
}

const cell = (attributes, ...children) => element('td', { role: 'cell', ...attributes }, ...children);
const rowHeader = (...children) => element('th', { scope: 'row', role: 'rowheader' }, ...children);
const sub = text => element('span', { class: 'sub' }, text);

const row = (...cells) => element('tr', { role: 'row' }, ...cells);

export function environmentRow(e) {
  const settings = [];
  if (e.secureMode) settings.push('secure mode');
  if (e.defaultTtl) settings.push(`TTL ${e.defaultTtl} min`);
  return row(
    cell({ class: 'project' }, e.project, e.projKey === e.project ? null : sub(e.projKey)),
    rowHeader(e.name, sub(e.envKey === e.envID || e.envKey === e.name ? e.envID : `${e.envKey} \u00B7 ${e.envID}`)),
    cell({ class: 'number', 'data-label': 'Version' }, String(e.version)),
    cell({}, keyList(e.keys)),
    cell({}, ...settings.map(s => element('span', { class: 'tag' }, s))),
  );
}

function keyList(keys) {
  const shown = keys.slice(0, maxKeys).map(k => element('li', {}, element('span', { class: 'kind' }, k.kind), element('code', {}, k.mask), until(k)));
  if (keys.length > maxKeys) shown.push(element('li', { class: 'muted' }, `and ${plural(keys.length - maxKeys, 'key', 'keys')} more`));
  return element('ul', { class: 'keys' }, ...shown);
}

function until(key) {
  if (!key.until) return null;
  return element('span', { class: 'until', title: new Date(key.until).toLocaleString('en-GB') }, 'expires ', element('time', { datetime: new Date(key.until).toISOString(), 'data-until': key.until }));
}

export function expiringRow({ key, environment: e }) {
  return row(
    cell({}, until(key), sub(moment(new Date(key.until)))),
    rowHeader(element('span', { class: 'kind' }, `${key.kind} `), element('code', {}, key.mask)),
    cell({}, e.name, sub(e.envID)),
    cell({ class: 'project' }, e.project),
  );
}

export function filterRow(f) {
  return row(cell({ class: 'project' }, f.projKey), rowHeader(f.key), cell({}, element('code', {}, f.id)), cell({ class: 'number', 'data-label': 'Version' }, String(f.version)));
}

export function readerRow(r) {
  return row(
    rowHeader(element('code', {}, r.address)), cell({}, r.userAgent || '\u2013'),
    cell({ 'data-label': 'Connected for' }, element('time', { 'data-since': Date.parse(r.since) })),
    cell({ class: 'number', 'data-label': 'Protocol' }, String(r.protocol)),
    cell({ class: 'number', 'data-label': 'Behind by' }, bytes(r.lag)),
  );
}

export function stateOf(state) {
  const [symbol, word] = states[state];
  return element('span', { class: `state ${state}` }, element('span', { class: 'symbol', 'aria-hidden': 'true' }, symbol), word);
}

export function historyRow(h) {
  const happened = [];
  if (h.state === 'valid') happened.push('The complete configuration has arrived.');
  else if (h.state === 'off') happened.push(h.error ? `Given up: ${h.error}` : 'The hub was shut down.');
  else if (h.error) happened.push(h.error);
  else happened.push(h.cached ? 'Serving the saved configuration.' : 'Waiting for the configuration.');
  const attempt = h.state === 'valid' || !h.attempt ? null : sub(`attempt ${count(h.attempt)}`);
  return row(cell({}, moment(new Date(h.at))), rowHeader(stateOf(h.state)), cell({}, ...happened, attempt));
}

export function logRow(entry) {
  const { change, fields = [] } = entry;
  const [kind, symbol, word] = kinds[change.kind] ?? ['updated', '\u2022', change.kind];
  const item = change.new ?? change.old ?? change.newFilter ?? change.oldFilter;
  const at = new Date(entry.at);
  const li = element('li', {},
    element('div', { class: 'top' },
      element('span', { class: `what ${kind}` }, element('span', { class: 'symbol', 'aria-hidden': 'true' }, symbol), word),
      element('time', { datetime: at.toISOString() }, clock(at))),
    item ? element('div', {}, element('span', { class: 'subject' }, nameOf(item)), sub(detail(change, item))) : element('div', { class: 'sub' }, synced(entry)));
  const others = fields.filter(f => f.path !== 'Version'); // which stands with the ID
  if (others.length) li.append(fieldList(others));
  return li;
}

const nameOf = item => (item.envID ? `${item.projName || item.projKey} \u203A ${item.envName || item.envKey}` : `${item.projKey} \u203A ${item.key}`);

function detail(change, item) {
  const parts = [item.envID ?? item.id];
  if (change.key) parts.push(`${change.key.sdkKey ? 'SDK key' : 'mobile key'} ${change.key.sdkKey || change.key.mobileKey} is no longer accepted`);
  else if (change.omitted) parts.push('no longer listed');
  else parts.push(versions(change, item));
  return parts.join(' \u00B7 ');
}

function versions(change, item) {
  const [old, now] = [(change.old ?? change.oldFilter)?.version, change.version ?? item.version];
  return change.kind.endsWith('updated') && old !== now ? `version ${old} \u2192 ${now}` : `version ${now}`;
}

function synced(entry) {
  const items = `${plural(entry.environments ?? 0, 'environment', 'environments')}, ${plural(entry.filters ?? 0, 'filter', 'filters')}`;
  return entry.change.cached ? `${items}, from the saved configuration` : items;
}

function fieldList(fields) {
  const shown = fields.slice(0, maxFields).map(f => element('div', {}, element('dt', {}, fieldName(f.path)), element('dd', {}, ...difference(f))));
  if (fields.length > maxFields) shown.push(element('div', {}, element('dt', {}, `and ${count(fields.length - maxFields)} more`), element('dd')));
  return element('dl', { class: 'fields' }, ...shown);
}

function difference(field) {
  const [old, now] = [fieldValue(field.path, field.old ?? ''), fieldValue(field.path, field.new ?? '')];
  if (old === '') return [element('ins', {}, now)];
  return [element('del', {}, old), now === '' ? element('span', { class: 'muted' }, ' removed') : ' \u2192 ', ...(now === '' ? [] : [element('ins', {}, now)])];
}

export function describe({ change }) {
  const word = (kinds[change.kind] ?? [, , change.kind])[2];
  const item = change.new ?? change.old ?? change.newFilter ?? change.oldFilter;
  return item ? `${word}: ${nameOf(item)}` : word;
}
