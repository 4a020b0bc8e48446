/** Which code runs for which command. Loaded when the command runs, so that `--help` stays fast. */
import type { Handler } from './command.ts';
import type { CommandName, definitions } from './definitions.ts';

type Loaders = { readonly [N in CommandName]: () => Promise<Handler<(typeof definitions)[N]>> };

export const handlers: Loaders = {
  init: async () => (await import('./commands/init.ts')).init,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  prodPlan: async () => (await import('./commands/prod-plan.ts')).prodPlan,
  prodUp: async () => (await import('./commands/prod-up.ts')).prodUp,
  prodStatus: async () => (await import('./commands/prod-status.ts')).prodStatus,
  prodSsh: async () => (await import('./commands/prod-ssh.ts')).prodSsh,
  prodDestroy: async () => (await import('./commands/prod-destroy.ts')).prodDestroy,
  prodReplace: async () => (await import('./commands/prod-replace.ts')).prodReplace,
  build: async () => (await import('./commands/build.ts')).build,
  deploy: async () => (await import('./commands/deploy.ts')).deploy,
  rollback: async () => (await import('./commands/rollback.ts')).rollback,
  run: async () => (await import('./commands/run.ts')).run,
  rolloutStatus: async () => (await import('./commands/rollout.ts')).status,
  rolloutWatch: async () => (await import('./commands/rollout.ts')).watch,
  rolloutPause: async () => (await import('./commands/rollout.ts')).pause,
  rolloutResume: async () => (await import('./commands/rollout.ts')).resume,
  rolloutPromote: async () => (await import('./commands/rollout.ts')).promote,
  rolloutAbort: async () => (await import('./commands/rollout.ts')).abort,
  releases: async () => (await import('./commands/releases.ts')).releases,
  jobs: async () => (await import('./commands/jobs.ts')).jobs,
  jobsRun: async () => (await import('./commands/jobs.ts')).run,
  jobsLog: async () => (await import('./commands/jobs.ts')).log,
  logs: async () => (await import('./commands/logs.ts')).logs,
  backupNow: async () => (await import('./commands/backup.ts')).now,
  backupList: async () => (await import('./commands/backup.ts')).list,
  backupVerify: async () => (await import('./commands/backup.ts')).verify,
  restore: async () => (await import('./commands/restore.ts')).restore,
  canary: async () => (await import('./commands/canary.ts')).canary,
  monitorSetup: async () => (await import('./commands/monitor-setup.ts')).monitorSetup,
  monitorSetupAlias: async () => (await import('./commands/monitor-setup.ts')).monitorSetup,
  monitorOpen: async () => (await import('./commands/monitor-others.ts')).monitorOpen,
  monitorStatus: async () => (await import('./commands/monitor-others.ts')).monitorStatus,
  monitorUsers: async () => (await import('./commands/monitor-others.ts')).monitorUsers,
  monitorTestAlert: async () => (await import('./commands/monitor-others.ts')).monitorTestAlert,
  judge: async () => (await import('./commands/judge.ts')).judge,
  judgeServe: async () => (await import('./commands/judge-serve.ts')).judgeServe,
};
