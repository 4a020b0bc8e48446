/** Figures for people. */
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

export function figure(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return '–';
  if (unit === 'ratio') return `${short(value * 100)} %`;
  if (unit === 'ms') return value >= 1000 ? `${short(value / 1000)} s` : `${short(value)} ms`;
  if (unit === 'bytes' || unit === 'bytes/s') {
    const power = value < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(value) / 3));
    return `${short(value / 1000 ** power)} ${UNITS[power]}${unit === 'bytes' ? '' : '/s'}`;
  }
  return unit === '1/s' ? `${short(value)}/s` : short(value);
}

function short(value: number): string {
  if (value === 0) return '0';
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value < 0.005 ? '< 0.01' : String(Number(value.toFixed(digits)));
}

export function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 129_600
    ? `${Math.round(seconds / 3600)} h ago`
    : `${Math.round(seconds / 86_400)} days ago`;
}
