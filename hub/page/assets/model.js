// What the page knows. The hub sends changes; a Model applies them.

const maxLog = 200;
const maxHistory = 50;

// A Model is the state of the hub, built from its events.
export class Model {
  environments = new Map();
  filters = new Map();
  log = []; // the latest last
  total = 0;
  synced = false;
  history = [];
  status = null;
  pulse = null;
  #sorted = new Map(); // what is derived from the items, until they change

  constructor(hello) { this.synced = hello.synced; }

  apply(change) {
    const { kind } = change;
    if (kind === 'synced') this.synced = true;
    else if (kind === 'environment deleted') this.environments.delete(change.old.envID);
    else if (kind === 'filter deleted') this.filters.delete(change.oldFilter.id);
    else if (change.new) this.environments.set(change.new.envID, environment(change.new));
    else if (change.newFilter) this.filters.set(change.newFilter.id, filter(change.newFilter));
    this.#sorted.clear();
  }

  // record adds entries to the log.
  record({ total, entries }) {
    this.total = total;
    this.log = [...this.log, ...(entries ?? [])].slice(-maxLog);
  }

  setStatus(status) {
    this.status = status;
    if (status.recorded) this.history = [...this.history, status].slice(-maxHistory);
  }

  #derive(name, make) {
    if (!this.#sorted.has(name)) this.#sorted.set(name, make());
    return this.#sorted.get(name);
  }

  // sortedEnvironments returns all environments by a column: 'project', 'name' or 'version'.
  sortedEnvironments(column, descending) {
    return this.#derive(`environments ${column} ${descending}`, () => sort([...this.environments.values()], e => e.order[column], descending));
  }

  sortedFilters() { return this.#derive('filters', () => sort([...this.filters.values()], f => f.order, false)); }

  // expiring returns all keys that will expire, the next one first.
  expiring() {
    return this.#derive('expiring', () => {
      const keys = [];
      for (const e of this.environments.values()) {
        for (const [i, key] of e.keys.entries()) {
          if (key.until) keys.push({ id: `${e.envID} ${i}`, item: key, key, environment: e, search: e.search });
        }
      }
      return sort(keys, k => k.key.until, false);
    });
  }

  projects() { return this.#derive('projects', () => new Set([...this.environments.values()].map(e => e.projKey)).size); }

  filterProjects() { return this.#derive('filter projects', () => new Set([...this.filters.values()].map(f => f.projKey)).size); }
}

function environment(e) {
  const keys = (e.keys ?? []).map(k => ({
    kind: k.sdkKey ? 'SDK' : 'Mobile', mask: k.sdkKey || k.mobileKey, until: k.expiry ? Date.parse(k.expiry) : 0,
  }));
  const [project, name] = [e.projName || e.projKey, e.envName || e.envKey];
  const words = [project, e.projKey, name, e.envKey, e.envID, `v${e.version}`, ...keys.map(k => k.mask)];
  const [p, n] = [natural(project), natural(name)];
  return {
    ...e, id: e.envID, keys, project, name, search: words.join('\n').toLowerCase(),
    order: { project: `${p}\n${n}\n${e.envID}`, name: `${n}\n${p}\n${e.envID}`, version: e.version },
  };
}

// natural returns what to compare names by, so that 10 comes after 9. It is far cheaper than a collator.
const natural = s => s.toLowerCase().replace(/\d+/g, digits => digits.padStart(12, '0'));

function filter(f) {
  return { ...f, search: [f.projKey, f.key, f.id, `v${f.version}`].join('\n').toLowerCase(), order: natural(`${f.projKey}\n${f.key}\n${f.id}`) };
}

function sort(items, by, descending) {
  const sign = descending ? -1 : 1;
  return items.sort((a, b) => { const [x, y] = [by(a), by(b)]; return x < y ? -sign : x > y ? sign : 0; });
}

// search returns the items that contain each of the words.
export function search(items, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return words.length ? items.filter(item => words.every(w => item.search.includes(w))) : items;
}
