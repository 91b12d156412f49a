// Text for people: times, durations, numbers and the names of fields.

const unit = (n, name) => `${n} ${name}`;

// duration returns a length of time, in milliseconds, in at most two units.
export function duration(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const [d, h, m] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  if (d > 0) return h > 0 && d < 10 ? `${unit(d, 'd')} ${unit(h, 'h')}` : unit(d, 'd');
  if (h > 0) return `${unit(h, 'h')} ${unit(m, 'min')}`;
  if (m > 0) return `${unit(m, 'min')} ${String(s % 60).padStart(2, '0')} s`;
  return unit(s, 's');
}

export const count = n => n.toLocaleString('en');

export const plural = (n, one, many) => `${count(n)} ${n === 1 ? one : many}`;

export const clock = t => t.toLocaleTimeString('en-GB');

// moment returns a time of day, with the date if that is not today's.
export function moment(t) {
  const day = t.toLocaleDateString('en-CA');
  return day === new Date().toLocaleDateString('en-CA') ? clock(t) : `${day} ${clock(t)}`;
}

export function bytes(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  for (; n >= 1024 && i < units.length - 1; i++) n /= 1024;
  return `${i === 0 ? n : n.toFixed(1)} ${units[i]}`;
}

const names = {
  EnvKey: 'Environment key', EnvName: 'Name', ProjKey: 'Project key', ProjName: 'Project', FilterKey: 'Filter key',
  MobKey: 'Mobile key', DefaultTTL: 'TTL, minutes', SecureMode: 'Secure mode', Version: 'Version',
  'SDKKey.Value': 'SDK key', 'SDKKey.Expiring.Value': 'Old SDK key', 'SDKKey.Expiring.Timestamp': 'Old key expires',
};

// fieldName returns the name of a field of the library's types, such as SDKKeys[0].Expiry, in words.
export function fieldName(path) {
  if (names[path]) return names[path];
  const list = /^(SDKKeys|MobileKeys|Lingering)\[(\d+)\](?:\.(\w+))?$/.exec(path);
  if (!list) return path;
  const kind = { SDKKeys: 'SDK key', MobileKeys: 'Mobile key', Lingering: 'Displaced key' }[list[1]];
  const what = { Expiry: ' expires', Timestamp: ' expires', Key: ' name', HasViews: ' views' }[list[3]] ?? '';
  return `${kind} ${Number(list[2]) + 1}${what}`;
}

// fieldValue returns a value of a field: times, which are numbers of milliseconds, as times, and nothing for none.
export function fieldValue(path, value) {
  if (!/(Timestamp|Expiry)$/.test(path) || !/^\d+$/.test(value)) return value;
  return value === '0' ? '' : moment(new Date(Number(value)));
}
