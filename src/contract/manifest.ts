/**
 * What a release says of itself: `release.json` in its folder. It can be started again from that, without the
 * configuration.
 */
import * as z from 'zod';

export const manifestSchema = z.object({
  app: z.string(),
  release: z.string(),
  commit: z.string().nullable(),
  ref: z.string(),
  subject: z.string(),
  /** ISO 8601 in UTC: when it was deployed first. */
  at: z.string(),
  by: z.string(),
  /** SHA-256 of the artifact. */
  artifact: z.string(),
  /**
   * Which artifact with which files laid over it; releases with the same one share their files on the
   * disk.
   */
  tree: z.string(),
  runtime: z.enum(['node', 'tomcat', 'static']),
  /** Exact Node version. */
  node: z.string().nullable(),
  start: z.string().nullable(),
  /** Absent where the runtime is not tomcat. */
  tomcat: z
    .object({
      /** Context path: `/`, or e.g. `/iTrust2`. */
      context: z.string(),
      sessions: z.enum(['shared', 'memory']),
      servlet: z.enum(['javax', 'jakarta']).nullable(),
    })
    .optional(),
  /** Folder of the service in the artifact. */
  directory: z.string(),
  /** Folders that outlive releases, relative to `directory`; absent: none. */
  persist: z.array(z.string()).optional(),
  instances: z.int(),
  portVariable: z.string(),
  fixedPort: z.int().nullable(),
  memory: z.int().nullable(),
  health: z.object({
    method: z.string(),
    path: z.string(),
    headers: z.record(z.string(), z.string()),
    body: z.string().nullable(),
    /** Accepted ones; empty: everything below 500. */
    status: z.array(z.int()),
    contains: z.string().nullable(),
    /** Milliseconds. */
    within: z.int(),
    timeout: z.int(),
    consecutive: z.int(),
  }),
  /** Milliseconds. */
  drain: z.int(),
  probation: z.int(),
  hooks: z.object({ beforeCutOver: z.string().nullable(), afterDeploy: z.string().nullable() }),
});

export type Manifest = Readonly<z.output<typeof manifestSchema>>;
export type ManifestHealth = Manifest['health'];
