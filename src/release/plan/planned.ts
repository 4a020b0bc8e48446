/** The plan for one host, before texts are made of it. */
import type { Manifest } from '../../contract/manifest.ts';
import type { Colour } from '../../contract/places.ts';
import type { Dependencies } from '../../contract/release.ts';
import type { Site } from '../../proxy/proxy.ts';
import type { Certificate } from '../front/certificate.ts';
import type { Secrets } from '../secrets.ts';

/** Files of a release that is not on the host yet. */
export interface NewRelease {
  readonly env: Readonly<Record<string, string>>;
  readonly overlay: Readonly<Record<string, string>>;
  readonly digest: string;
  /** What the host installs for it; null: nothing. */
  readonly dependencies: Dependencies | null;
  /** A release on the host with the same files, from which they are taken instead of the artifact. */
  readonly sameTree?: string | undefined;
  /** SHA-256 of the archive with Node that was sent; absent: the host has that version. */
  readonly node?: string | undefined;
}

interface Place {
  readonly manifest: Manifest;
  readonly slot: number;
  readonly colour: Colour;
  /** Whether this host runs the hooks: only one does, since a migration must not run twice. */
  readonly hooks: boolean;
  /** Whether this host is the application's first, which runs its jobs. */
  readonly first: boolean;
}

/** A release starts on the host and takes over. */
export interface PlannedTakeOver extends Place {
  /** The colour that serves now. */
  readonly old: Colour | null;
  /** Absent: it is on the host already. */
  readonly placed?: NewRelease | undefined;
  readonly secrets: Secrets;
  /** Absent: it stays as it is. */
  readonly site?: Site | undefined;
  readonly certificate?: Certificate | undefined;
  /** It has served before: failing now does not make it a failed release. */
  readonly proven: boolean;
}

/** What is done on the host once the release stays. */
export interface PlannedSettle extends Place {
  /** The release that a rollback leaves. */
  readonly withdrawn?: string | undefined;
  /** The site to put in place; absent: it is there. */
  readonly site?: { readonly site: Site; readonly certificate?: Certificate | undefined } | undefined;
}
