/** A stage of work on a host, as progress: once started, it is reported as done or failed. */
import type { Context } from '../../context.ts';
import type { ReleaseHost } from '../types.ts';

export async function inStage<T>(
  host: Pick<ReleaseHost, 'name'>,
  stage: string,
  context: Context,
  work: () => Promise<T>,
): Promise<T> {
  const tell = (state: 'started' | 'done' | 'failed') => context.progress({ host: host.name, stage, state });
  tell('started');
  try {
    const result = await work();
    tell('done');
    return result;
  } catch (error) {
    tell('failed');
    throw error;
  }
}
