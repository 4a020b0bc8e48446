/**
 * How this program marks what it makes, so that the account itself is the state. Pure.
 *
 * Droplets carry tags. Firewalls and networks have no labels of their own: their names hold the owner, and
 * a firewall aims at our tags, a network says so in its description. Everything below `prefix` is this
 * owner's alone, so nothing shared is ever removed with it.
 */
import { createHash } from 'node:crypto';
import { publicKeyLine, publicKeyPoint } from '../../ed25519.ts';
import type { EnvironmentSpec } from '../../provider.ts';

/** The API's limits for a tag. */
const TAG = /^[a-zA-Z0-9_\-:]+$/;
const TAG_LENGTH = 255;
/** Room for one part of a name: four parts and the separators stay below every limit of the API. */
const PART_LENGTH = 50;

export interface Marks {
  /**
   * Every droplet of the environment carries it: `pipeline:shop:prod`. Not proof of anything: others may
   * use it too.
   */
  readonly environment: string;
  /** The owner mark: `pipeline:shop:prod:owner:3f2a91`. */
  readonly owner: string;
  /** Beginning of every tag that is this owner's alone. */
  readonly prefix: string;
  /** Beginning of the names of firewalls, networks and keys. */
  readonly name: string;
  /** Description of a network that we made. */
  readonly description: string;
}

/** The marks of one environment. */
export function marksOf(spec: Pick<EnvironmentSpec, 'project' | 'environment' | 'owner'>): Marks {
  const project = part(spec.project);
  const environment = part(spec.environment);
  const mark = shortHash(`${spec.owner}\n${spec.project}\n${spec.environment}`);
  const tag = `pipeline:${project}:${environment}`;
  return {
    environment: tag,
    owner: `${tag}:owner:${part(spec.owner)}`,
    prefix: `${tag}:${mark}:`,
    name: `pipeline-${project}-${environment}-${mark}`.replaceAll('_', '-'),
    description: `Made by pipeline for ${project}/${environment}, owner ${part(spec.owner)}.`,
  };
}

/** The tag at which a group's firewall aims. */
export function groupTag(marks: Marks, group: string): string {
  return `${marks.prefix}group:${part(group)}`;
}

/** Says which operator key (MD5 fingerprint) opens a droplet. */
export function keyTag(marks: Marks, fingerprint: string): string {
  return `${marks.prefix}key:${fingerprint.replaceAll(':', '')}`;
}

/** The fingerprint (with colons) that a key tag names; undefined for other tags. */
export function fingerprintOfTag(marks: Marks, tag: string): string | undefined {
  const hex = below(`${marks.prefix}key:`, tag);
  return hex !== undefined && /^[0-9a-f]{32}$/.test(hex) ? (hex.match(/../g) ?? []).join(':') : undefined;
}

/**
 * A host key in a tag: `new` came with the user data and must be exchanged at first contact, `host` was
 * made on the droplet.
 */
export function hostKeyTag(marks: Marks, age: 'new' | 'host', publicKey: string): string {
  const point = publicKeyPoint(publicKey);
  if (point === undefined) throw new RangeError(`not an ed25519 public key: ${publicKey.slice(0, 40)}`);
  return `${marks.prefix}${age}-key:${point.toString('hex')}`;
}

/** The host keys that a droplet's tags name, as `ssh-ed25519 AAAA…` lines. */
export function hostKeysOf(marks: Marks, age: 'new' | 'host', tags: readonly string[]): readonly string[] {
  return tags.flatMap((tag) => {
    const hex = below(`${marks.prefix}${age}-key:`, tag);
    return hex !== undefined && /^[0-9a-f]{64}$/.test(hex) ? [publicKeyLine(Buffer.from(hex, 'hex'))] : [];
  });
}

/** The group that a droplet's tags name. */
export function groupOf(marks: Marks, tags: readonly string[]): string | undefined {
  for (const tag of tags) {
    const group = below(`${marks.prefix}group:`, tag);
    if (group !== undefined) return group;
  }
  return undefined;
}

export function firewallName(marks: Marks, group: string): string {
  return `${marks.name}-${part(group).replaceAll('_', '-')}`;
}

export function networkName(marks: Marks, region: string): string {
  return `${marks.name}-${part(region)}`;
}

/** Whether `name` is `base`, or `base-2`, `base-3`, … which are taken where somebody else holds `base`. */
export function isNameOf(base: string, name: string): boolean {
  const rest = below(base.toLowerCase(), name.toLowerCase());
  return rest !== undefined && (rest === '' || /^-[2-9]\d?$/.test(rest));
}

/** `base`, or the first of `base-2`, `base-3`, … that nobody holds. */
export function freeName(base: string, taken: Iterable<string>): string {
  const names = new Set([...taken].map((name) => name.toLowerCase()));
  if (!names.has(base.toLowerCase())) return base;
  let number = 2;
  while (names.has(`${base}-${number}`.toLowerCase())) number++;
  return `${base}-${number}`;
}

/** Tags keep the letters' case of whoever made them first; to the API they are the same tag. */
export function hasTag(tags: readonly string[], tag: string): boolean {
  return tags.some((other) => other.toLowerCase() === tag.toLowerCase());
}

/** Whether the API takes it as a tag. */
export function isTag(text: string): boolean {
  return TAG.test(text) && text.length <= TAG_LENGTH;
}

/**
 * One part of a tag or name: lower-case letters, digits, dash, underscore. What has to be changed or cut
 * gets a hash, so that two never meet.
 */
function part(text: string): string {
  if (/^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$/.test(text) && text.length <= PART_LENGTH) return text;
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[-_]+/, '');
  return `${plain.slice(0, PART_LENGTH - 9)}-${shortHash(text)}`.replace(/^-/, 'x-');
}

function below(start: string, text: string): string | undefined {
  const lower = text.toLowerCase();
  return lower.startsWith(start) ? lower.slice(start.length) : undefined;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
