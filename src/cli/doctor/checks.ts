/** What `doctor` looks at, one after the other: this machine, the configuration, the provider, the hosts. */
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { LocalEnvironment } from '../../cloud/local/environments.ts';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import type { Context } from '../../context.ts';
import { productionSpec } from '../../environment/environment.ts';
import { inventoryTargets } from '../../environment/inventory-targets.ts';
import { inventoryPath } from '../../environment/paths.ts';
import { chooseProvider, openProvider } from '../../environment/provider.ts';
import { asFailure, Failure } from '../../errors.ts';
import { gatherFacts } from '../../host/facts.ts';
import type { Connection, SshTarget } from '../../ssh/connection.ts';
import { wordsOf } from '../../ssh/failures.ts';
import { connect } from '../../ssh/openssh.ts';
import type { OptionValues, Session } from '../command.ts';
import type { definitions } from '../definitions.ts';
import type { DoctorFinding } from './finding.ts';
import { monitorFindings } from './monitor.ts';

/** Programs of this machine, and Debian's package of each. */
const PROGRAMS: readonly { readonly program: string; readonly debian: string; readonly why: string }[] = [
  { program: 'git', debian: 'git', why: 'fetches sources' },
  { program: 'ssh', debian: 'openssh-client', why: 'reaches hosts' },
  { program: 'npm', debian: 'npm', why: 'installs dependencies of Node services' },
  { program: 'tar', debian: 'tar', why: 'packs artifacts' },
];

type Options = OptionValues<(typeof definitions.doctor)['options']>;

/** Each finding as soon as it is known. Nothing is changed. */
export async function* findings(options: Options, session: Session): AsyncGenerator<DoctorFinding> {
  const { context } = session;
  yield nodeVersion(process.versions.node);
  for (const { program, debian, why } of PROGRAMS) {
    const path = await findProgram(program, context);
    yield path === undefined
      ? {
          subject: program,
          state: 'bad',
          message: `is not installed (it ${why})`,
          next: `apt-get install ${debian}`,
        }
      : { subject: program, state: 'good', message: path };
  }
  const config = await attempt(
    'pipeline.yml',
    () => loadConfig(session.common.config, context),
    (loaded) => loaded.path,
  );
  yield config.finding;
  if (config.value === undefined) return;
  yield* environment(config.value, options, session);
}

async function* environment(
  config: Config,
  options: Options,
  session: Session,
): AsyncGenerator<DoctorFinding> {
  const { context } = session;
  const choice = await attempt(
    'provider',
    async () => chooseProvider(options.provider, context.env, config),
    ({ name, reason }) => `${name}: ${reason}`,
  );
  yield choice.finding;
  if (choice.value?.name === 'local') yield* localProvider(context);
  if (choice.value !== undefined) {
    const { value } = choice;
    const plan = await attempt(
      value.name,
      async () => (await openProvider(value, productionSpec(config), context)).plan(),
      ({ machines, changes }) =>
        `${machines.length} of ${productionSpec(config).machines.length} hosts exist, ` +
        `${changes.length} changes to make`,
    );
    yield plan.finding;
  }
  const written = await access(inventoryPath(config)).then(
    () => true,
    () => false,
  );
  if (options.inventory === undefined && !written) return;
  const inventory = await attempt(
    'inventory',
    () => inventoryTargets(options.inventory, config, context),
    ({ path, targets }) => `${path}, ${targets.length} hosts`,
  );
  yield inventory.finding;
  const asked = (inventory.value?.targets ?? []).map((target) => host(target, context));
  const found = await Promise.all(asked);
  yield* found;
  // Where a host is not what it should be, what runs on it is no question yet.
  if (inventory.value !== undefined && found.every(({ state }) => state !== 'bad'))
    yield* await monitorFindings(config, options.inventory, session);
}

async function* localProvider(context: Context): AsyncGenerator<DoctorFinding> {
  const { localProblems, localEnvironments } = await import('../../cloud/local/environments.ts');
  const problems = await localProblems(context);
  for (const problem of problems)
    yield {
      subject: 'local hosts',
      state: problem.mendsItself ? 'warning' : 'bad',
      message: problem.message,
      next: problem.next,
    };
  if (problems.length === 0) yield { subject: 'local hosts', state: 'good', message: 'can be made here' };
  // Without the right to create hosts, you cannot list them either.
  if (!problems.every(({ mendsItself }) => mendsItself)) return;
  for (const found of await localEnvironments(context)) {
    if (found.orphan) yield orphan(found);
  }
}

function orphan({ project, environment, directory }: LocalEnvironment): DoctorFinding {
  return {
    subject: 'local hosts',
    state: 'warning',
    message: `the hosts of ${project} (${environment}) are still here, but their folder ${directory} is gone`,
    next: 'Remove them: pipeline prod destroy --orphans',
  };
}

async function host(target: SshTarget, context: Context): Promise<DoctorFinding> {
  const connection = connect(target, context);
  try {
    return await hostFinding(connection, context);
  } finally {
    await connection.close();
  }
}

/** Would `prod up` take it? Asked with the same facts, so that both give one answer. */
export async function hostFinding(connection: Connection, context: Context): Promise<DoctorFinding> {
  const { name, address } = connection.target;
  try {
    const { os, version, codename } = (await gatherFacts(connection, [], context)).host;
    const release = version === '' ? codename : version;
    return { subject: name, state: 'good', message: `${`${os} ${release}`.trim()} at ${address}` };
  } catch (thrown) {
    context.signal.throwIfAborted();
    return findingOf(name, thrown);
  }
}

export function nodeVersion(version: string): DoctorFinding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const enough = major > 20 || (major === 20 && minor >= 10);
  return enough
    ? { subject: 'node', state: 'good', message: version }
    : {
        subject: 'node',
        state: 'bad',
        message: `${version} is too old`,
        next: 'pipeline needs Node 20.10 or newer.',
      };
}

/** Runs a check: its value and a good finding, or the failure as a finding. */
async function attempt<T>(
  subject: string,
  act: () => Promise<T>,
  say: (value: T) => string,
): Promise<{ readonly value?: T; readonly finding: DoctorFinding }> {
  try {
    const value = await act();
    return { value, finding: { subject, state: 'good', message: say(value) } };
  } catch (thrown) {
    return { finding: findingOf(subject, thrown) };
  }
}

/** What is not one of ours is a bug, and no finding. */
function findingOf(subject: string, thrown: unknown): DoctorFinding {
  const failure = asFailure(thrown);
  if (!(thrown instanceof Failure) || failure.kind === 'internal' || failure.kind === 'interrupted')
    throw thrown;
  return { subject, state: 'bad', message: wordsOf(failure), next: failure.next };
}

async function findProgram(program: string, context: Context): Promise<string | undefined> {
  for (const folder of (context.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, program);
    if (
      folder !== '' &&
      (await access(path, constants.X_OK).then(
        () => true,
        () => false,
      ))
    )
      return path;
  }
  return undefined;
}
