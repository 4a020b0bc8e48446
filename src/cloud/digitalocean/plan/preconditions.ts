/** What must hold before anything is planned. Pure. */
import { Failure } from '../../../errors.ts';
import { operatorKeyFile } from '../../operator-key.ts';
import type { EnvironmentSpec } from '../../provider.ts';
import type { Matching } from './fleet.ts';
import { fingerprintOfTag, groupTag, isTag, type Marks, marksOf } from './names.ts';
import type { Surveyed } from './survey.ts';

/** Names that the API takes, and that a host may be called (RFC 1123). */
const HOST_NAME = /^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/;

/** @throws Failure `usage` */
export function checkSpec(spec: EnvironmentSpec): void {
  const bad = spec.machines.find(({ name }) => !HOST_NAME.test(name));
  if (bad !== undefined) {
    throw new Failure('usage', `A droplet cannot be called "${bad.name}"`, {
      host: bad.name,
      next: 'In pipeline.yml use letters, digits and dashes for names of hosts, at most 63.',
    });
  }
  const long = spec.machines.find(({ group }) => !isTag(groupTag(marksOf(spec), group)));
  if (long !== undefined) {
    throw new Failure(
      'usage',
      `The tag for the hosts ${long.group} would be longer than the 255 characters that DigitalOcean takes`,
      {
        next: 'Shorten project: or the name of the host in pipeline.yml.',
      },
    );
  }
  if (spec.operators.length === 0) {
    throw new Failure(
      'usage',
      'Nobody could reach the droplets: pipeline.yml names no network that SSH may come from',
      {
        next: 'Name yours under operators:, e.g. 203.0.113.7/32, or 0.0.0.0/0 for anywhere.',
      },
    );
  }
}

/**
 * The droplets say which key opens them. Where that is another one than the key in this folder, nothing
 * could be done on them.
 * @throws Failure `usage`
 */
export function checkOperatorKey(
  found: Surveyed,
  matching: Matching,
  spec: EnvironmentSpec,
  marks: Marks,
): void {
  const here = found.operatorKey?.fingerprint;
  const locked = [...matching.kept.values()].filter((droplet) => {
    const keys = droplet.tags.flatMap((tag) => fingerprintOfTag(marks, tag) ?? []);
    return keys.length > 0 && !keys.some((key) => key === here);
  });
  if (locked.length === 0) return;
  const key = locked[0]?.tags.flatMap((tag) => fingerprintOfTag(marks, tag) ?? [])[0];
  const path = operatorKeyFile(spec.directory, spec.environment);
  const names = locked.map(({ name }) => name).join(', ');
  throw new Failure(
    'usage',
    `${names}: made with another key (${key}) than ` +
      (here === undefined ? `this folder has: there is no ${path}` : `the one in ${path} (${here})`),
    {
      next:
        `Copy .pipeline/keys/${spec.environment} from the machine that made them (a colleague's, a backup) ` +
        `to ${path}. Without it nobody can sign in: run pipeline ${spec.environment} destroy, ` +
        `then pipeline ${spec.environment} up.`,
    },
  );
}
