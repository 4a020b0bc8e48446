/** Environments of local hosts on this machine, of whatever project. */
import { access } from 'node:fs/promises';
import type { Context } from '../../context.ts';
import type { Destroyed } from '../provider.ts';
import { destroyEnvironment } from './destroy.ts';
import { canStack } from './found.ts';
import { readMachine } from './machine.ts';
import { listEnvironments, listHosts } from './records.ts';
import { localSettings } from './settings.ts';
import { installCommand, missingPackages } from './tools.ts';

export interface LocalEnvironment {
  readonly project: string;
  readonly environment: string;
  /** Folder of the pipeline.yml that it was made from. */
  readonly directory: string;
  /** The folder is gone, so that no `pipeline prod destroy` can be run there any more. */
  readonly orphan: boolean;
  /** Where its hosts' disks lie. */
  readonly path: string;
  /** Names of its hosts. */
  readonly hosts: readonly string[];
  /** Removes it and everything in it. */
  remove(): Promise<Destroyed>;
}

/**
 * All environments on this machine that got as far as having a network. Needs root: without it, none is
 * visible.
 */
export async function localEnvironments(context: Context): Promise<LocalEnvironment[]> {
  const found = await listEnvironments(localSettings(context.env));
  const described = found.map(async ({ layout, record }) => {
    if (record === undefined) return [];
    const { project, environment, directory } = record;
    const orphan = await access(directory).then(
      () => false,
      () => true,
    );
    const hosts = await listHosts(layout);
    const remove = () => destroyEnvironment(context, readMachine(), layout);
    return [{ project, environment, directory, orphan, path: layout.directory, hosts, remove }];
  });
  return (await Promise.all(described)).flat();
}

/** Something that stands between this machine and local hosts. */
export interface LocalProblem {
  /** One sentence. */
  readonly message: string;
  /** The command that mends it. */
  readonly next: string;
  /** `apply` does that itself. */
  readonly mendsItself: boolean;
}

/** What stands between this machine and local hosts; empty where they can be made. */
export async function localProblems(context: Context): Promise<LocalProblem[]> {
  const problems: LocalProblem[] = [];
  if (!readMachine().root) {
    const next = 'Run the command with sudo.';
    problems.push({
      message: 'Local hosts need root, and this is an ordinary user.',
      next,
      mendsItself: false,
    });
  }
  const settings = localSettings(context.env);
  if (!(await canStack(settings))) {
    const message =
      `${settings.stateDirectory} lies on an overlay, as in a container: ` +
      "hosts' disks cannot be stacked there.";
    const next = 'Mount an ordinary disk there, or set PIPELINE_LOCAL_STATE to a folder on one.';
    problems.push({ message, next, mendsItself: false });
  }
  const packages = await missingPackages(context);
  if (packages.length > 0) {
    const message = `This machine lacks ${packages.join(', ')}, which \`up\` installs.`;
    problems.push({ message, next: installCommand(packages), mendsItself: true });
  }
  return problems;
}
