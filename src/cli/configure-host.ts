/** Makes one host what it should be, tells the host's audit log and the terminal. */
import type { Context } from '../context.ts';
import { audit, whoami } from '../environment/audit.ts';
import { duration } from '../format.ts';
import type { Agreed } from '../host/theirs.ts';
import { convergeHost, type WantedHost } from '../release/index.ts';
import type { Connection } from '../ssh/connection.ts';
import type { HostChanges } from './changes.ts';
import { counted, type Output } from './output.ts';

/** @throws Failure as `convergeHost` does. */
export async function configureHost(
  connection: Connection,
  wanted: WantedHost,
  options: { readonly agreed?: Agreed | undefined },
  context: Context,
  output: Output,
): Promise<HostChanges> {
  const host = connection.target.name;
  const { changes, seconds } = await convergeHost(connection, wanted, context, options);
  if (changes.length === 0) return { host, changes };
  const message = counted(changes.length, 'change');
  const entry = {
    at: context.now().toISOString(),
    by: whoami(context),
    action: 'up',
    result: 'done',
    message,
  };
  await audit(connection, entry, context);
  const took = duration(seconds * 1000);
  output.line(`  ${host.padEnd(10)} ${output.colors.green('✓')} ${message.padEnd(14)} ${took}`);
  return { host, changes };
}
