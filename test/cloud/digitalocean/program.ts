/**
 * The provider as a program of its own, so that a test can kill it: `node program.js up|destroy`. Prints
 * nothing; exits as the command line does.
 */
import { fastClock } from '../../../src/cloud/digitalocean/api/clock.ts';
import { createDigitalOceanProvider } from '../../../src/cloud/digitalocean/provider.ts';
import { quietContext } from '../../../src/context.ts';
import { asFailure } from '../../../src/errors.ts';
import { simulatedConnect } from '../../fakes/digitalocean/simulated-ssh.ts';
import { referenceSpec } from './reference.ts';

const { FAKE_URL = '', FAKE_SPEED = '1', FAKE_TOKEN = '', DIRECTORY = '' } = process.env;
const provider = createDigitalOceanProvider(quietContext(), referenceSpec(DIRECTORY), {
  ...{ token: FAKE_TOKEN, apiUrl: FAKE_URL },
  clock: fastClock(Number(FAKE_SPEED)),
  connect: simulatedConnect(FAKE_URL),
});
try {
  if (process.argv[2] === 'destroy') await provider.destroy();
  else await provider.apply(await provider.plan());
} catch (error) {
  const { message, next, exitCode } = asFailure(error);
  process.stderr.write(`${message}\n${next}\n`);
  process.exitCode = exitCode;
}
