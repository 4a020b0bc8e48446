/**
 * A deploy, or a rollback, in a process of its own, for tests that kill it and benchmarks: `node
 * deploy-program.mjs FILE`. Prints each progress event as a line of JSON.
 */
import { readFileSync } from 'node:fs';
import { buildArtifact } from '../../src/build/build.ts';
import { quietContext } from '../../src/context.ts';
import { withLock } from '../../src/environment/lock.ts';
import { asFailure } from '../../src/errors.ts';
import { deploy, rollback } from '../../src/release/index.ts';
import { connect } from '../../src/ssh/openssh.ts';

const { verb, config, app, ref, targets, env } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const say = (line: unknown) => process.stdout.write(`${JSON.stringify(line)}\n`);
const stop = new AbortController();
process.on('SIGINT', () => stop.abort(new Error('interrupted')));
const context = quietContext({ env, signal: stop.signal, progress: (event) => say(event) });
const hosts = targets.map((target: Parameters<typeof connect>[0]) => ({
  name: target.name,
  connection: connect(target, context),
}));
try {
  const artifact = verb === 'rollback' ? undefined : await buildArtifact(config, app, ref, context);
  const result = await withLock(
    hosts[0].connection,
    { command: `${verb ?? 'deploy'} ${app} ${ref}` },
    context,
    (locked) =>
      artifact === undefined
        ? rollback({ config, app, hosts }, locked)
        : deploy({ config, app, hosts, artifact }, locked),
  );
  say({ stage: 'result', result });
} catch (error) {
  const { kind, message } = asFailure(error);
  say({ stage: 'failure', kind, message });
  process.exitCode = 3;
} finally {
  await Promise.all(hosts.map((host: { connection: { close(): Promise<void> } }) => host.connection.close()));
}
