/** What nginx does for a site besides passing requests on. */
import { z } from 'zod';
import { variable } from './schema-values.ts';

const FILE = /^(?!\/)(?!(.*\/)?\.\.(\/|$))[A-Za-z0-9_.@+/-]+$/;
const HEADER = /^[A-Za-z][A-Za-z0-9-]{0,63}$/;
/** No space, quote or backslash, nothing that nginx or a browser would read as something else. */
const FROM = /^\/[A-Za-z0-9_.~!&'()+,;=:@%/-]*\*?$/;
const TO = /^(\/(?!\/)|https?:\/\/[^/\s"\\${};*]+)[^\s"\\${};*]*\*?$/;

const target = () =>
  z.string().regex(TO, 'expected a path like /new, or an address like https://shop.example/new');

const redirect = z.union([
  target(),
  z.strictObject({
    to: target().describe('Where it leads: a path, or an http(s) address.'),
    status: z
      .union([z.literal(301), z.literal(302), z.literal(307), z.literal(308)])
      .default(301)
      .describe('302 and 307 are temporary; 307 and 308 keep method and body.'),
  }),
]);

const password = z.union([
  z.strictObject({ env: variable().describe('Name of the environment variable that holds the password.') }),
  z.strictObject({
    command: z.string().describe('Shell command that prints the password, e.g. pass show shop/staging.'),
  }),
]);

const value = () => z.string().regex(/^[^\r\n]*$/, 'expected one line');

/** Keys of `site:`. */
export const webKeys = {
  headers: z
    .record(
      z.string(),
      z.union([value(), z.record(z.string().regex(HEADER, 'expected the name of a header'), value())]),
    )
    .default({})
    .describe(
      'Response headers to add. Below a path prefix, like /assets/: { Cache-Control: … }, they are for ' +
        'paths that begin so.',
    ),
  redirects: z
    .record(z.string().regex(FROM, 'expected a path like /old, or /old/* for all below'), redirect)
    .default({})
    .describe(
      'Paths that lead elsewhere: /old: /new, or { to, status }. A * at the end stands for the rest of the ' +
        'path. The query goes along.',
    ),
  errors: z
    .record(
      z.string().regex(/^[45]\d\d$/, 'expected a status from 400 to 599'),
      z.string().regex(FILE, 'expected a file of the artifact, like errors/404.html'),
    )
    .default({})
    .describe(
      'Pages for what nginx itself answers, e.g. 404 for missing files, 502 while no process ' +
        'answers: files of the artifact, relative to the directory.',
    ),
  auth: z
    .record(z.string().regex(/^[A-Za-z0-9._@-]{1,64}$/, 'expected the name of a user'), password)
    .default({})
    .describe('Who may see the site (basic authentication), e.g. a staging one. Default: everybody.'),
  buffering: z
    .union([z.boolean(), z.enum(['on', 'off'])])
    .default(true)
    .transform((given) => given === true || given === 'on')
    .describe(
      'off: large uploads and downloads stream through nginx, as they come; a process that ' +
        'takes uploads is then asked once.',
    ),
  maintenance: z
    .string()
    .optional()
    .describe(
      'Page of `pipeline maintenance on`: HTML file, relative to pipeline.yml. Default: a plain one.',
    ),
};
