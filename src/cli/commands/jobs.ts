/** `pipeline jobs …`: timed jobs of an application: see them, run one now, read its log. */
import type { JobRun, JobStatus } from '../../contract/jobs.ts';
import { EXIT_CODES } from '../../errors.ts';
import { duration } from '../../format.ts';
import { jobHost, jobLog, listJobs, runJob } from '../../release/jobs/jobs.ts';
import { withAppHosts } from '../app-hosts.ts';
import { argument, type Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';
import type { Colors } from '../output.ts';
import { table } from '../table.ts';

export const jobs: Handler<typeof definitions.jobs> = async (options, session) => {
  const { output, context } = session;
  const name = argument(session, 0) ?? '';
  return withAppHosts(session, name, options.inventory, async (app) => {
    const host = jobHost(app);
    const found = await listJobs(host, name, context);
    if (found.length === 0) {
      const configured = Object.keys(app.config.apps[name]?.jobs ?? {}).length > 0;
      output.line(
        configured
          ? `The version of ${name} that serves has no jobs yet. Deploy: pipeline deploy ${name}`
          : `${name} has no jobs. Write them below jobs: in pipeline.yml.`,
      );
    } else {
      const rows = found.map((job) => row(job, output.colors));
      const head = ['job', 'when', 'next (UTC)', 'last (UTC)', 'took', 'result'];
      for (const line of table(head, rows)) output.line(line);
    }
    return { json: { app: name, host: host.name, jobs: found } };
  });
};

export const run: Handler<typeof definitions.jobsRun> = async (options, session) => {
  const { output, context } = session;
  const [name, job] = [argument(session, 0) ?? '', argument(session, 1) ?? ''];
  return withAppHosts(session, name, options.inventory, async (app) => {
    const host = jobHost(app);
    let began = false;
    try {
      const ended = await runJob(host, name, job, context, (line) => {
        began = true;
        output.line(line);
      });
      output.line(output.colors.green(`${job} is done, in ${took(ended)}`));
      return { json: { app: name, job, host: host.name, ...ended, seconds: secondsOf(ended) } };
    } catch (error) {
      if (!context.signal.aborted || !began) throw error;
      output.line(`${job} goes on. Look again: pipeline jobs log ${name} ${job}`);
      const json = { app: name, job, host: host.name, result: 'running' };
      return { json, exitCode: EXIT_CODES.interrupted };
    }
  });
};

export const log: Handler<typeof definitions.jobsLog> = async (options, session) => {
  const [name, job] = [argument(session, 0) ?? '', argument(session, 1) ?? ''];
  return withAppHosts(session, name, options.inventory, async (app) => {
    const host = jobHost(app);
    const lines = await jobLog(host, name, job, session.context);
    for (const line of lines) session.output.line(line);
    if (lines.length === 0) session.output.line(`${job} has not run yet.`);
    return { json: { app: name, job, host: host.name, lines } };
  });
};

function row({ name, when, next, running, interrupted, last }: JobStatus, colors: Colors): readonly string[] {
  const minute = (at: string) => at.slice(0, 19).replace('T', ' ');
  const begin = [name, when, next === null ? '' : minute(next)];
  if (running !== null) return [...begin, minute(running), '', colors.yellow('running')];
  if (interrupted !== null) {
    return [...begin, minute(interrupted), '', colors.red('interrupted: the host went down')];
  }
  if (last === null) return [...begin, '', '', 'not run yet'];
  if (last.result === 'interrupted') {
    return [...begin, minute(last.began), '', colors.red(`interrupted: ${last.why}`)];
  }
  const result = last.result === 'done' ? colors.green('done') : colors.red(`failed: ${last.why}`);
  return [...begin, minute(last.began), took(last), last.by === null ? result : `${result}, by ${last.by}`];
}

function took(run: JobRun): string {
  return duration(secondsOf(run) * 1000);
}

function secondsOf({ began, ended }: JobRun): number {
  return (Date.parse(ended) - Date.parse(began)) / 1000;
}
