/** The operator's side of jobs: what the application's first host knows of them, and one run now. */
import type { Context } from '../../context.ts';
import { type JobRun, type JobStatus, jobByFile } from '../../contract/jobs.ts';
import { jobUnit, liveLink } from '../../contract/places.ts';
import { whoami } from '../../environment/audit.ts';
import { closest, Failure } from '../../errors.ts';
import { quote } from '../../ssh/quote.ts';
import { withValues } from '../../ssh/script.ts';
import { programCommand } from '../send/program.ts';
import type { AppOnHosts, ReleaseHost } from '../types.ts';
import runScript from './run-job.sh' with { type: 'text' };

/** A job may take days. */
const LONGEST_MS = 7 * 86_400_000;
const LAST_LINES = 25;
/** Exit codes of run-job.sh. */
const RUNS_ALREADY = 10;

/** The host that runs an application's jobs. */
export function jobHost({ app, hosts: [first] }: AppOnHosts): ReleaseHost {
  if (first === undefined) throw new Failure('usage', `${app} has no host`);
  return first;
}

/** Jobs of the version that serves; none where it has none. */
export async function listJobs(
  host: ReleaseHost,
  app: string,
  context: Context,
): Promise<readonly JobStatus[]> {
  const script = `[ -e ${quote(`${liveLink(app)}/release.json`)} ] || { echo '[]'; exit 0; }
exec ${programCommand('current')} jobs ${quote(app)}`;
  const text = await host.connection.check(script, { label: `jobs of ${app}`, signal: context.signal });
  return JSON.parse(text) as readonly JobStatus[];
}

/** @throws Failure kind `usage` where the version that serves has no such job. */
async function jobNamed(host: ReleaseHost, app: string, name: string, context: Context): Promise<JobStatus> {
  const jobs = await listJobs(host, app, context);
  const found = jobs.find((job) => job.name === name);
  if (found !== undefined) return found;
  const names = jobs.map((job) => job.name);
  const guess = closest(name, names);
  throw new Failure('usage', `${app}: the version that serves has no job "${name}"`, {
    next:
      guess !== undefined
        ? `Did you mean ${guess}?`
        : names.length === 0
          ? `It has none: write it below jobs: in pipeline.yml, then pipeline deploy ${app}`
          : `Its jobs: ${names.join(', ')}. A new one comes with the next deploy.`,
  });
}

/**
 * Runs a job now, as its timer would, to its end; `onLine` gets what it prints. Ctrl-C leaves it running.
 * @throws Failure kind `locked`: it runs already; kind `host` with its last lines: it failed.
 */
export async function runJob(
  host: ReleaseHost,
  app: string,
  name: string,
  context: Context,
  onLine: (line: string) => void,
): Promise<JobRun> {
  await jobNamed(host, app, name, context);
  const unit = jobUnit(app, name);
  const lines: string[] = [];
  const values = { unit, by: whoami(context), by_file: jobByFile(app, name) };
  const { exitCode, stderr } = await host.connection.script(withValues(runScript, values), {
    label: `run ${name} of ${app}`,
    timeoutMs: LONGEST_MS,
    signal: context.signal,
    onStdout: (line) => {
      lines.push(line);
      if (lines.length > LAST_LINES) lines.shift();
      onLine(line);
    },
  });
  if (exitCode === RUNS_ALREADY) {
    throw new Failure('locked', `${app}: ${name} runs already`, {
      host: host.name,
      next: `Wait for it; pipeline jobs log ${app} ${name} shows what it prints.`,
    });
  }
  if (exitCode !== 0) {
    throw new Failure('host', `${host.name}: ${name} of ${app} did not start`, {
      host: host.name,
      output: stderr.trim().split('\n').slice(-LAST_LINES),
      next: `See why: pipeline prod ssh ${host.name} -- systemctl status ${unit}`,
    });
  }
  const { last } = await jobNamed(host, app, name, context);
  if (last === null) {
    throw new Failure('host', `${host.name}: nothing tells what became of ${name} of ${app}`, {
      host: host.name,
      output: lines,
      next: `See its log: pipeline jobs log ${app} ${name}`,
    });
  }
  if (last.result === 'done') return last;
  throw new Failure('host', `${host.name}: ${name} of ${app} failed: ${last.why}`, {
    host: host.name,
    output: lines,
    next: `See the whole log: pipeline jobs log ${app} ${name}`,
  });
}

/** The last lines of a job's log, with systemd's, each after its time in UTC. */
export async function jobLog(
  host: ReleaseHost,
  app: string,
  name: string,
  context: Context,
): Promise<readonly string[]> {
  await jobNamed(host, app, name, context);
  const unit = quote(jobUnit(app, name));
  const script = `TZ=UTC journalctl --quiet --no-pager --output=short-iso --lines=200 --unit=${unit}`;
  const text = await host.connection.check(script, { label: `log of ${name}`, signal: context.signal });
  return text.split('\n').filter((line) => line !== '');
}
