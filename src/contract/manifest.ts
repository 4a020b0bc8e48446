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
  runtime: z.enum(['node', 'tomcat', 'static', 'command']),
  /**
   * Exact version of Node, or e.g. `bun-1.4.5` where that runs the service; see `engineOf`.
   */
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
  /** Debian packages that the host must have; absent: none. */
  packages: z.array(z.string()).optional(),
  /** Absent where the runtime is not command. */
  command: z
    .object({
      language: z.enum(['python', 'ruby', 'go', 'bun', 'deno']).nullable(),
      /**
       * SHA-256 of all that decides which dependencies the host installs, in hexadecimal digits; null: none.
       */
      lock: z.string().nullable(),
      /**
       * Shell command that the host runs on the artifact's files before they become a release; null: none.
       */
      build: z.string().nullable(),
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
  /** Beside the web one; absent: none. */
  processes: z
    .array(
      z.object({
        name: z.string(),
        run: z.string(),
        instances: z.int(),
        memory: z.int().nullable(),
        /** Whether they start before visitors are switched, or after. */
        when: z.enum(['before', 'after']),
        /** Two versions never run it at once. */
        exclusive: z.boolean(),
        stopSignal: z.string(),
        /** Milliseconds. */
        stopWithin: z.int(),
      }),
    )
    .optional(),
  /** Absent: none. */
  jobs: z
    .array(
      z.object({
        name: z.string(),
        run: z.string(),
        /** systemd's calendar events, with their time zone. */
        calendar: z.array(z.string()),
        /** As people wrote it. */
        when: z.string(),
        /** Milliseconds. */
        timeout: z.int(),
      }),
    )
    .optional(),
});

export type Manifest = Readonly<z.output<typeof manifestSchema>>;
export type ManifestHealth = Manifest['health'];
export type ManifestProcess = NonNullable<Manifest['processes']>[number];
export type ManifestJob = NonNullable<Manifest['jobs']>[number];
