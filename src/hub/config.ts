/**
 * The hub's configuration, `/etc/pipeline/hub.json` (0600: it holds passwords), written by `pipeline monitor
 * setup`.
 */
import { readFileSync, statSync } from 'node:fs';
import * as z from 'zod';
import { alertsSchema } from '../config/schema.ts';
import { Failure } from '../errors.ts';

export const HUB_CONFIG = '/etc/pipeline/hub.json';

const target = z.union([
  z.strictObject({
    webhook: z.string(),
    headers: z.record(z.string(), z.string()).optional(),
    body: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
  }),
  z.strictObject({ slack: z.string() }),
  z.strictObject({
    email: z.strictObject({
      to: z.array(z.string()),
      from: z.string(),
      smtp: z.string(),
      tls: z.string().optional(),
    }),
  }),
]);

const hubConfig = z.strictObject({
  /** Hosts that have an agent. */
  hosts: z.array(z.string()),
  intervalSeconds: z.number().positive(),
  redis: z.strictObject({ socket: z.string(), user: z.string().optional(), password: z.string().optional() }),
  listen: z.strictObject({
    /** Absent: every address of the host, of both families. */
    address: z.string().optional(),
    port: z.int(),
    /** Serve https here, and send visitors of `port` there. */
    tls: z.strictObject({ port: z.int(), certificate: z.string(), key: z.string() }).optional(),
    /** Proxies in front that may speak for visitors: addresses or networks. */
    trustedProxies: z.array(z.string()).optional(),
  }),
  /** Where people find the dashboard: the link in messages. */
  dashboard: z.string().optional(),
  rules: alertsSchema.shape.rules,
  own: alertsSchema.shape.own,
  quiet: alertsSchema.shape.quiet,
  repeat: alertsSchema.shape.repeat,
  silenceAfterDeploy: alertsSchema.shape.silence_after_deploy,
  /** Where messages go, secrets filled in. */
  targets: z.array(target).default([]),
  /** Forward every sample there, secrets filled in. */
  remoteWrite: z.strictObject({ url: z.string(), headers: z.record(z.string(), z.string()) }).optional(),
  /** The log of what people do on the page. */
  auditLog: z.string().optional(),
  /** The page for everybody: applications and what visitors call them; where it is put besides. */
  statusPage: z
    .strictObject({
      title: z.string(),
      apps: z.record(z.string(), z.string()),
      folder: z.string().optional(),
      push: z.string().optional(),
    })
    .optional(),
  heartbeat: z.strictObject({ url: z.string(), everyMs: z.number() }).optional(),
});
export type HubConfig = z.output<typeof hubConfig>;
/** As it is written: defaults may be left out. */
export type HubConfigInput = z.input<typeof hubConfig>;

/** @throws Failure with every mistake, never with a value */
export function readHubConfig(path: string): HubConfig {
  const next = `Run "pipeline monitor setup", which writes ${path}.`;
  try {
    if ((statSync(path).mode & 0o077) !== 0)
      throw new Failure('usage', `${path} holds passwords and may be read by others.`, {
        next: `Run: chmod 600 ${path}`,
      });
    const parsed = hubConfig.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    if (parsed.success) return parsed.data;
    const mistakes = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Failure('usage', `${path} has errors: ${mistakes.join('; ')}.`, { next });
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    // The error of JSON.parse quotes the text, which holds passwords.
    const why = cause instanceof SyntaxError ? 'it is not JSON' : (cause as Error).message;
    throw new Failure('usage', `${path} cannot be read: ${why}.`, { next });
  }
}
