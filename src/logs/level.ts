/**
 * How bad a line is: from the journal's priority, from a structured line's own field, from its words. Pure.
 */

/** Worst first. */
export const LEVELS = ['critical', 'error', 'warning', 'info', 'debug'] as const;
export type Level = (typeof LEVELS)[number];

/** As syslog, pino, winston, log4j, Python, Go and zap write them. */
const WORDS: Readonly<Record<string, Level>> = {
  emerg: 'critical',
  emergency: 'critical',
  alert: 'critical',
  crit: 'critical',
  critical: 'critical',
  fatal: 'critical',
  panic: 'critical',
  dpanic: 'critical',
  err: 'error',
  error: 'error',
  severe: 'error',
  warn: 'warning',
  warning: 'warning',
  notice: 'info',
  info: 'info',
  information: 'info',
  informational: 'info',
  default: 'info',
  log: 'info',
  debug: 'debug',
  fine: 'debug',
  trace: 'debug',
  verbose: 'debug',
  silly: 'debug',
};

/** Whether `level` is at least as bad as `least`. */
export function isAtLeast(level: Level, least: Level): boolean {
  return LEVELS.indexOf(level) <= LEVELS.indexOf(least);
}

/** A priority of syslog: 0 (emergency) to 7 (debug). */
export function levelOfPriority(priority: number): Level {
  if (priority <= 2) return 'critical';
  if (priority === 3) return 'error';
  if (priority === 4) return 'warning';
  return priority >= 7 ? 'debug' : 'info';
}

/** A structured line's `level`: a word, or a number as pino and bunyan have it (10 to 60). */
export function levelOfField(value: unknown): Level | undefined {
  if (typeof value === 'string') {
    const text = value.trim().toLowerCase();
    return Object.hasOwn(WORDS, text)
      ? WORDS[text]
      : /^\d+$/.test(text)
        ? levelOfField(Number(text))
        : undefined;
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  if (value < 10) return levelOfPriority(value);
  if (value >= 60) return 'critical';
  if (value >= 50) return 'error';
  if (value >= 40) return 'warning';
  return value >= 30 ? 'info' : 'debug';
}

/** A status of HTTP: 5xx is an error, and so is 0 (closed without an answer); 4xx is a warning. */
export function levelOfStatus(status: number): Level {
  if (status >= 500 || status === 0) return 'error';
  return status >= 400 ? 'warning' : 'info';
}

/** A word in capitals or in brackets among what usually stands before a message. */
const NAMED = /(?:^|[\s[(|:])(FATAL|SEVERE|ERROR|WARN(?:ING)?|INFO|DEBUG|TRACE)(?=[\s\])|:]|$)/;
const BRACKETED = /\[(fatal|error|warn|warning|info|debug|trace)\]/i;
/** What Node, Java, Python and Go print of an error that nobody caught. */
const THROWN = new RegExp(
  String.raw`^\s*(?:${[
    'Uncaught ',
    'Caused by: ',
    'Exception in thread ',
    'panic: ',
    String.raw`Traceback \(`,
    String.raw`(?:[\w$]+\.)*[\w$]*(?:Error|Exception)\b(?:$|[:\s])`,
  ].join('|')})`,
);

/** The level that a plain line says itself; undefined: it says none. */
export function levelOfText(text: string): Level | undefined {
  const head = text.slice(0, 100);
  const word = (NAMED.exec(head) ?? BRACKETED.exec(head))?.[1]?.toLowerCase();
  if (word !== undefined) return WORDS[word];
  return THROWN.test(head) ? 'error' : undefined;
}
