/** A line of a log as text: for people, and for programs. Pure. */
import type { LogLine } from '../../logs/line.ts';
import type { Colors } from '../output.ts';

/** What every library adds and nobody reads. */
const NOISE = new Set(['pid', 'hostname', 'v', 'id']);
const HOST_COLOURS = ['cyan', 'magenta', 'blue', 'green'] as const;

export interface ShowOptions {
  readonly colors: Colors;
  /** Names of all hosts. */
  readonly hosts: readonly string[];
}

/** `11-29 14:05:01.123  web-1  blue  ERROR  message  key=value`, its other lines below it. */
export function shownLine({ colors, hosts }: ShowOptions): (line: LogLine) => string {
  const width = Math.max(0, ...hosts.map((name) => name.length));
  let sources = 5;
  return (line) => {
    sources = Math.min(24, Math.max(sources, line.source.length));
    const colour = HOST_COLOURS[Math.max(0, hosts.indexOf(line.host)) % HOST_COLOURS.length] ?? 'cyan';
    const host = hosts.length < 2 ? '' : `${colors[colour](line.host.padEnd(width))}  `;
    const head = `${colors.dim(clock(line.at))}  ${host}${line.source.padEnd(sources)}  `;
    const rest = Object.entries(line.fields)
      .filter(([name]) => !NOISE.has(name) && !(line.isRequest && name === 'colour'))
      .map(([name, value]) => `${name}=${quoted(value)}`);
    const cut = line.isCut ? colors.dim(' … (the line is longer)') : '';
    const [first = '', ...more] = line.message.split('\n');
    const words = [`${word(line, colors)}${tinted(first, line, colors)}`, colors.dim(rest.join(' '))];
    const below = more.map((text) => `\n    ${tinted(text, line, colors)}`).join('');
    return `${head}${words.filter((one) => one !== '').join('  ')}${below}${cut}\n`.replace(/ +\n$/, '\n');
  };
}

/** One JSON object. */
export function documentLine(line: LogLine): string {
  const { at, host, source, isRequest, level, release, message, fields, isCut } = line;
  const micros = String(Math.round((at % 1000) * 1000)).padStart(6, '0');
  const time = `${new Date(at).toISOString().slice(0, 20)}${micros}Z`;
  const kind = isRequest ? 'request' : 'log';
  const document = { at: time, host, source, kind, level, release: release || null, message, fields };
  return `${JSON.stringify(isCut ? { ...document, cut: true } : document)}\n`;
}

function clock(at: number): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** Said where it is not the usual level; a request's is its status. */
function word({ level, isRequest }: LogLine, colors: Colors): string {
  if (isRequest || level === 'info') return '';
  if (level === 'debug') return colors.dim('DEBUG  ');
  return level === 'warning' ? colors.yellow('WARN   ') : colors.red(`${level.toUpperCase()}  `);
}

function tinted(text: string, { level }: LogLine, colors: Colors): string {
  if (level === 'critical' || level === 'error') return colors.red(text);
  if (level === 'warning') return colors.yellow(text);
  return level === 'debug' ? colors.dim(text) : text;
}

function quoted(value: string): string {
  return /^[^\s"=]*$/.test(value) && value !== '' ? value : JSON.stringify(value);
}
