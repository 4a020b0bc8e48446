/** Words that several parts of the schema share. */
import { domainToASCII } from 'node:url';
import { z } from 'zod';

const NAME = /^[a-z][a-z0-9-]{0,40}$/;
const GROUP = /^[a-z][a-z0-9_-]{0,40}$/;
export const APP_NAME = /^[A-Za-z][A-Za-z0-9._-]{0,40}$/;

export const name = () =>
  z.string().regex(NAME, 'expected lower-case letters, digits and dashes, a letter first');
/**
 * The machines of an entry of `hosts:`: `web` alone, or `web-1`, `web-2`, …; a machine's name has no
 * underscore.
 */
export function machineNames(entry: string, count: number): readonly string[] {
  const base = entry.replaceAll('_', '-');
  return count === 1 ? [base] : Array.from({ length: count }, (_, index) => `${base}-${index + 1}`);
}

/** An entry of `hosts:`, which an inventory has as a group: Ansible's own way is underscores. */
export const hostName = () =>
  z.string().regex(GROUP, 'expected lower-case letters, digits, dashes and underscores, a letter first');
/**
 * A host name as nginx and certificates have it: no scheme, no port; other alphabets become their ASCII form.
 * `*.` may stand before it.
 */
export const domain = () =>
  z
    .string()
    .regex(/^[^\s/:?#@]+$/, 'expected a host name alone, like shop.example: no https://, no port, no path')
    .transform((text) => `${text.startsWith('*.') ? '*.' : ''}${domainToASCII(text.replace(/^\*\./, ''))}`)
    .refine(
      (text) => /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/.test(text),
      'expected a host name like shop.example',
    );
export const variable = () =>
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable');
export const port = () => z.int().min(1).max(65535);
export const cidr = () => z.union([z.cidrv4(), z.cidrv6()], 'expected a network like 203.0.113.0/24');

/** An http(s) address, given or named. */
export const address = z.union([
  z.url({ protocol: /^https?$/ }),
  z.strictObject({ env: variable().describe('Name of the environment variable that holds the address.') }),
]);
