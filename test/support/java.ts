/** What the example WAR is built with; installed where it is missing and may be. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const PACKAGES = ['default-jdk-headless', 'libtomcat10-java', 'libmariadb-java'] as const;

/** Why the example cannot be built here, with the command that would enable it; undefined where it can. */
export function javaUnavailable(): string | undefined {
  const missing = () =>
    spawnSync('sh', ['-c', 'command -v javac && command -v jar']).status !== 0 ||
    !['tomcat10-servlet-api.jar', 'mariadb-java-client.jar'].every((name) =>
      existsSync(`/usr/share/java/${name}`),
    );
  if (!missing()) return undefined;
  const command = `apt-get install --yes --no-install-recommends ${PACKAGES.join(' ')}`;
  if (process.getuid?.() === 0) {
    process.stderr.write(`Installing what the example WAR is built with: ${command}\n`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const line of ['apt-get update', command]) {
      try {
        execFileSync('sh', ['-c', `${line} -qq`], { stdio: ['ignore', 'ignore', 'inherit'], env });
      } catch {
        break;
      }
    }
    if (!missing()) return undefined;
  }
  return `there is no Java to build the example WAR with: run \`${command}\``;
}
