/** One line about an artifact: what was built, how big, and whether it was there already. */

import type { Artifact } from '../build/artifact.ts';
import { bytes, duration } from '../format.ts';

/** How it was built and starts, for languages that have conventions; none for others. */
export function conventionLines({ command, start }: Artifact): readonly string[] {
  if (command === undefined) return [];
  const { how, build, packages } = command;
  const parts = [
    how,
    build === null ? '' : `built on the host: ${build}`,
    start === null ? '' : `started by: ${start}`,
    packages.length === 0 ? '' : `needs ${packages.join(', ')}`,
  ];
  return [`  ${parts.filter((part) => part !== '').join('; ')}`];
}

export function artifactLine(artifact: Artifact): string {
  if (artifact.commit === null) {
    return (
      `${artifact.app}  ${artifact.ref}  ${bytes(artifact.bytes)} (sha256 ` +
      `${artifact.sha256.slice(0, 8)}…)`
    );
  }
  const state = artifact.cached ? 'cached' : `built in ${duration(artifact.seconds * 1000)}`;
  return (
    `${artifact.app}  ${artifact.ref} → ${artifact.commit.slice(0, 7)} "${artifact.subject}"  ` +
    `${bytes(artifact.bytes)}, ${state} (sha256 ${artifact.sha256.slice(0, 8)}…)`
  );
}
