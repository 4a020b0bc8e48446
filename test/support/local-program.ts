/**
 * A program of its own that plans (`plan`), brings up (`up`) or destroys an environment: for tests that kill
 * it, or run it elsewhere. Usage: local-program VERB SPEC_JSON.
 */
import { createLocalProvider } from '../../src/cloud/local/provider.ts';
import { quietContext } from '../../src/context.ts';

const [verb, spec] = process.argv.slice(2);
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));
// each line is a moment at which a test may kill this program
const say = (line: string) => process.stdout.write(`${line.split('\n')[0]}\n`);
const context = quietContext({
  signal: interrupted.signal,
  trace: say,
  progress: ({ host, stage, state, detail }) => say(`${host ?? '-'} ${stage} ${state} ${detail ?? ''}`),
});
const provider = createLocalProvider(context, JSON.parse(spec ?? ''));
if (verb === 'plan') {
  const { changes, warnings } = await provider.plan();
  for (const { host, step, action } of changes) say(`${host ?? '-'} ${step} ${action}`);
  for (const warning of warnings) say(warning);
} else if (verb === 'up') await provider.apply(await provider.plan());
else await provider.destroy();
say('finished');
