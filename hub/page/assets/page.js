// The connection to the hub: events in, a model for the view.

import { Model } from './model.js';
import { View } from './view.js';
import { clock } from './text.js';

const silence = 20_000; // ms without an event after which the connection is taken for dead
const pause = 3_000;    // ms before the page itself connects again, where the browser has given up

const view = new View();
let model = null;   // what is shown
let version = null; // of the page's files
let watchdog = 0;

function connect() {
  const source = new EventSource('events');
  let next = null; // the state that is arriving: shown when it is complete

  const on = (name, handle) => source.addEventListener(name, event => {
    watch(source);
    handle(JSON.parse(event.data));
  });
  const current = () => next ?? model;
  const changed = () => { if (!next) view.changed(); };

  on('hello', hello => {
    if (version !== null && version !== hello.version) location.reload(); // the hub was updated
    version = hello.version;
    view.setClock(hello.now);
    next = new Model(hello);
  });
  on('items', changes => { changes.forEach(c => current().apply(c)); changed(); });
  on('log', log => current().record(log));
  on('history', history => { current().history = history ?? []; });
  on('status', status => {
    if (next) next.status = status; // its history has it already
    else model.setStatus(status);
    changed();
  });
  on('changes', log => {
    log.entries.forEach(e => current().apply(e.change));
    current().record(log);
    if (!next) view.logged(log.entries);
    changed();
  });
  on('pulse', pulse => {
    view.setClock(pulse.now);
    current().pulse = pulse;
    changed();
  });
  on('ready', () => {
    model = next;
    next = null;
    view.show(model);
    view.setLink('live', 'Live');
    view.setNotice('');
  });

  source.onerror = () => {
    next = null;
    lost();
    if (source.readyState === EventSource.CLOSED) retry(source);
  };
  watch(source);
}

// watch takes the connection for dead when nothing comes any more: a browser may not notice.
function watch(source) {
  clearTimeout(watchdog);
  watchdog = setTimeout(() => { lost(); retry(source); }, silence);
}

function lost() {
  if (view.link === 'lost') return;
  view.setLink('lost', 'Disconnected');
  view.setNotice(`Disconnected from the hub since ${clock(new Date())}. ${model ? 'This is what was known then. ' : ''}Trying again\u2026`);
}

// retry connects again where the browser does not: after an answer that is not a stream of events.
async function retry(source) {
  source.close();
  clearTimeout(watchdog);
  await new Promise(resolve => { setTimeout(resolve, pause); });
  const answer = await fetch('./', { method: 'HEAD', cache: 'no-store' }).catch(() => null);
  if (answer?.status === 401) location.reload(); // to sign in again
  else connect();
}

connect();
