/**
 * Kayenta's HTTP API, as far as its clients need it to judge: Argo Rollouts' provider, Spinnaker's Orca, and
 * standalone analysis. Source: spinnaker/kayenta, `kayenta-web` and `kayenta-standalone-canary-analysis`.
 */
import { Hono, type Context as Request } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { asFailure, Failure } from '../../errors.ts';
import { KAYENTA_JUDGE_NAME } from '../../judge/index.ts';
import { readConfigs, type StoredConfig } from './configs.ts';
import { analysisAnswer, canaryAnswer, type ExecutionRequest } from './execution.ts';
import type { Executions } from './executions.ts';

export interface KayentaApiOptions {
  /** Folder of configurations; null: each request brings its own. */
  readonly configs: string | null;
  readonly executions: Executions;
}

/** A configuration and its request; more is a mistake. */
const LARGEST_BODY = 1024 * 1024;
/** Kayenta's word for a configuration that came with the request. */
const AD_HOC = 'ad-hoc';

export function kayentaApi({ configs, executions }: KayentaApiOptions): Hono {
  const app = new Hono();
  app.onError((error, c) => {
    const { kind, message, next } = asFailure(error);
    const text = next === undefined ? message : `${message} ${next}`;
    return c.json({ message: text }, error instanceof UnknownId ? 404 : kind === 'usage' ? 400 : 503);
  });
  app.notFound((c) => c.json({ message: `Nothing is served at ${c.req.method} ${c.req.path}.` }, 404));
  app.use(bodyLimit({ maxSize: LARGEST_BODY, onError: (c) => c.json({ message: 'Too large.' }, 413) }));

  app.get('/health', (c) => c.json({ status: 'UP' }));
  app.get('/judges', (c) => c.json([{ name: KAYENTA_JUDGE_NAME, visible: true }]));
  app.get('/credentials', (c) =>
    c.json([{ name: 'prometheus', type: 'prometheus', supportedTypes: ['METRICS_STORE'] }]),
  );

  app.get('/canaryConfig', async (c) => {
    const wanted = c.req.queries('application') ?? [];
    const fits = ({ applications }: StoredConfig) =>
      wanted.length === 0 || applications.length === 0 || applications.some((one) => wanted.includes(one));
    return c.json((await readConfigs(configs)).filter(fits).map(summary));
  });
  app.get('/canaryConfig/:id', async (c) => c.json((await stored(configs, c)).config as object));

  app.post('/canary', async (c) => begun(await executions.judge(await adHoc(c)), c));
  app.post('/canary/:id', async (c) => begun(await executions.judge(await ofStored(configs, c)), c));
  app.get('/canary/:id', async (c) => {
    const execution = await executions.find('canary', c.req.param('id'));
    if (execution === undefined) throw new UnknownId('canary execution', c.req.param('id'));
    return c.json(canaryAnswer(execution));
  });

  app.post('/standalone_canary_analysis', async (c) =>
    begunAnalysis(await executions.analyse(await adHoc(c)), c),
  );
  app.post('/standalone_canary_analysis/:id', async (c) =>
    begunAnalysis(await executions.analyse(await ofStored(configs, c)), c),
  );
  app.get('/standalone_canary_analysis/:id', async (c) => {
    const execution = await executions.find('analysis', c.req.param('id'));
    if (execution === undefined) throw new UnknownId('analysis', c.req.param('id'));
    const children = execution.judgements.map(({ id }) => executions.find('canary', id));
    return c.json(analysisAnswer(execution, await Promise.all(children)));
  });
  return app;
}

class UnknownId extends Failure {
  constructor(what: string, id: string) {
    super('usage', `There is no ${what} "${id}".`);
  }
}

const begun = (canaryExecutionId: string, c: Request) => c.json({ canaryExecutionId });
const begunAnalysis = (canaryAnalysisExecutionId: string, c: Request) =>
  c.json({ canaryAnalysisExecutionId });

const summary = ({ id, name, updated, applications }: StoredConfig) => ({
  id,
  name,
  updatedTimestamp: updated,
  updatedTimestampIso: new Date(updated).toISOString(),
  applications,
});

async function stored(configs: string | null, c: Request): Promise<StoredConfig> {
  const id = c.req.param('id') ?? '';
  const found = (await readConfigs(configs)).find((config) => config.id === id);
  if (found === undefined) throw new UnknownId('canary configuration', id);
  return found;
}

/** `{canaryConfig, executionRequest}`: both came with the request. */
async function adHoc(c: Request): Promise<ExecutionRequest> {
  const body = await jsonBody(c);
  for (const key of ['canaryConfig', 'executionRequest'] as const) {
    if (body[key] === undefined || body[key] === null)
      throw new Failure('usage', `${key} must be provided for ad-hoc requests.`);
  }
  return { ...asker(c), configId: AD_HOC, config: body.canaryConfig, request: body.executionRequest };
}

async function ofStored(configs: string | null, c: Request): Promise<ExecutionRequest> {
  const { id, config } = await stored(configs, c);
  return { ...asker(c), configId: id, config, request: await jsonBody(c) };
}

async function jsonBody(c: Request): Promise<Readonly<Record<string, unknown>>> {
  // A page of another origin cannot send this type without asking first.
  if (!(c.req.header('content-type') ?? '').startsWith('application/json'))
    throw new Failure('usage', 'The body must be JSON, with content-type: application/json.');
  const body: unknown = await c.req.json().catch(() => undefined);
  if (typeof body === 'object' && body !== null) return body as Record<string, unknown>;
  throw new Failure('usage', 'The body is not a JSON object.');
}

function asker(c: Request) {
  const { application, user, metricsAccountName, storageAccountName, configurationAccountName } =
    c.req.query();
  return {
    application: application || AD_HOC,
    user: user || 'anonymous',
    accounts: {
      metrics: metricsAccountName ?? '',
      storage: storageAccountName ?? '',
      configuration: configurationAccountName ?? '',
    },
  };
}
