/** Whose files are that came back: a host made anew gives an application's user another number. */
import { STATE_ROOT, systemUser } from '../../contract/places.ts';
import { must } from './engine.ts';
import type { BackupWorld } from './world.ts';

/** Gives files that are not the system's to the application, whose user is made where it is missing. */
export async function giveTo(world: BackupWorld, app: string, path: string): Promise<void> {
  const user = systemUser(app);
  if ((await world.run({ program: 'id', args: ['-u', user] })).code !== 0) {
    const home = ['--no-create-home', '--home-dir', `${STATE_ROOT}/${app}`];
    const args = ['--system', '--user-group', ...home, '--shell', '/usr/sbin/nologin', user];
    await must(world, `make the user ${user}`, { program: 'useradd', args });
  }
  const find = (...args: readonly string[]) =>
    must(world, `give ${path} to ${user}`, { program: 'find', args: [path, ...args, '{}', '+'] });
  await find('!', '-user', 'root', '-exec', 'chown', '-h', user);
  // nginx's own group has the same number everywhere.
  await find('!', '-group', 'root', '!', '-group', 'www-data', '-exec', 'chgrp', '-h', user);
}
