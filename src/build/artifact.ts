/** What a build leaves: one file with everything a release needs, and where it came from. */

import type { Manifest } from '../contract/manifest.ts';
import type { Dependencies } from '../contract/release.ts';

/** The processors for which Node's official binaries are brought to hosts. */
export type Architecture = 'x64' | 'arm64';

/** A Node binary in the cache, as a file for hosts: `node/<version>/bin/node` once unpacked. */
export interface NodeRuntime {
  /** Exact, e.g. `20.11.1`. */
  readonly version: string;
  readonly architecture: Architecture;
}

/** What hosts need and do besides, for an application of any language. */
export interface CommandArtifact extends Readonly<NonNullable<Manifest['command']>> {
  /** Debian packages that the language needs. */
  readonly packages: readonly string[];
  readonly dependencies: Dependencies | null;
  /** The conventions by which it was built, for people; empty: none. */
  readonly how: string;
}

export interface Artifact {
  readonly app: string;
  /** As asked for, e.g. `master`; the default branch's name where nothing was asked for. */
  readonly ref: string;
  /** 40 hexadecimal digits; `null` for an artifact that was given as a file. */
  readonly commit: string | null;
  /** First line of the commit's message; the file's name for one that was given. */
  readonly subject: string;
  readonly runtime: Manifest['runtime'];
  /** Absolute path: a `.tar.gz`, or a `.war` for Tomcat. */
  readonly path: string;
  /** Of the file, hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
  /** It was in the cache: nothing was built. */
  readonly cached: boolean;
  /** Exact Node version; `null` where the runtime is not node. */
  readonly node: string | null;
  /** For which processor native modules were built; `null`: it has none and runs on every processor. */
  readonly architecture: Architecture | null;
  /** Shell commands that start the service, in the service's folder; `null` for tomcat and static. */
  readonly start: string | null;
  /** Folder of the service inside the artifact; empty: its root. */
  readonly directory: string;
  /** Which servlet API a WAR was written for; `null`: it is no WAR, or uses none. */
  readonly servlet: 'javax' | 'jakarta' | null;
  /** Absent where the runtime is not command. */
  readonly command?: CommandArtifact | undefined;
  /** How long the build took; 0 where it was cached. */
  readonly seconds: number;
}
