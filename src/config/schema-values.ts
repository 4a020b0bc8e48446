/** Words that several parts of the schema share. */
import { z } from 'zod';

const NAME = /^[a-z][a-z0-9-]{0,40}$/;
export const APP_NAME = /^[A-Za-z][A-Za-z0-9._-]{0,40}$/;

export const name = () =>
  z.string().regex(NAME, 'expected lower-case letters, digits and dashes, a letter first');
export const variable = () =>
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable');
export const port = () => z.int().min(1).max(65535);
export const cidr = () => z.union([z.cidrv4(), z.cidrv6()], 'expected a network like 203.0.113.0/24');

/** An http(s) address, given or named. */
export const address = z.union([
  z.url({ protocol: /^https?$/ }),
  z.strictObject({ env: variable().describe('Name of the environment variable that holds the address.') }),
]);
