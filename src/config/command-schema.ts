/** What applications of any language say besides: packages of their hosts, and where they are built. */
import { z } from 'zod';
import { LANGUAGES, type Language } from './languages.ts';

/** Debian Policy 5.6.7. */
const DEBIAN_PACKAGE = /^[a-z0-9][a-z0-9+.-]+$/;

export const commandKeys = {
  packages: z
    .array(z.string().regex(DEBIAN_PACKAGE, 'expected the name of a Debian package, like ffmpeg'))
    .default([])
    .describe('Debian packages that its hosts need, e.g. ffmpeg; installed by `prod up` and by deploys.'),
  build_on: z
    .enum(['here', 'host'])
    .optional()
    .describe(
      'Where `build` of runtime command runs: here, on this machine; host, on the host, as a user without ' +
        'rights, once for each commit. Default: host for python and ruby, else here.',
    ),
};

/** Whether a runtime's releases are started by a command that is not Node's. */
export function isCommand(runtime: string | undefined): runtime is 'command' | Language {
  return runtime === 'command' || LANGUAGES.some((language) => language === runtime);
}
