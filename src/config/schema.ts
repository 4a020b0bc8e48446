/**
 * What can be said in `pipeline.yml`: the one definition from which validation, types and the published JSON
 * Schema come. Every key has a description; editors show it.
 */
import { z } from 'zod';
import { alertsSchema, checkSchema } from './alerts-schema.ts';
import { appSchema } from './app-schema.ts';
import { backupsSchema } from './backups-schema.ts';
import { logsSchema } from './logs-schema.ts';
import { APP_NAME, address, cidr, hostName, name, variable } from './schema-values.ts';
import { bytes, duration } from './units.ts';

export * from './alerts-schema.ts';
export * from './app-schema.ts';
export * from './backups-schema.ts';
export type { JobConfig } from './processes-schema.ts';

/** Roles that a host can carry. `base` is on every host and is not listed. */
const ROLES = ['nginx', 'tomcat', 'mariadb', 'redis'] as const;

const machine = {
  memory: bytes().optional().describe('Local hosts: memory limit, e.g. 512M.'),
  cpus: z.number().positive().max(64).optional().describe('Local hosts: CPU limit in cores, e.g. 1 or 0.5.'),
  size: z.string().optional().describe('DigitalOcean: size slug, e.g. s-1vcpu-1gb.'),
  region: z.string().optional().describe('DigitalOcean: region slug, e.g. nyc3.'),
  image: z
    .string()
    .optional()
    .describe(
      'The system: debian-12-x64, debian-13-x64, ubuntu-22-04-x64 or ubuntu-24-04-x64; on DigitalOcean, ' +
        "any image's slug or number. Default: debian-12-x64; local hosts: this machine's own release.",
    ),
};

export const hostSchema = z.strictObject({
  roles: z.array(z.enum(ROLES)).default([]).describe('What `prod up` installs on the host besides the base.'),
  count: z
    .int()
    .min(1)
    .max(200)
    .default(1)
    .describe('How many hosts of this kind; above 1 they are called NAME-1, NAME-2, …'),
  ...machine,
});

export const configSchema = z.strictObject({
  project: name().describe('Name of the project: part of every name and tag that pipeline gives.'),
  id: z
    .string()
    .regex(/^[a-z0-9]{8,32}$/, 'expected 8 to 32 lower-case letters and digits')
    .optional()
    .describe(
      'Owner mark: what carries it was made by this project. Written by `pipeline init`. ' +
        'Default: derived from the project name.',
    ),
  provider: z
    .enum(['local', 'digitalocean'])
    .optional()
    .describe('Where hosts come from. Default: digitalocean where a token is set, else local.'),
  defaults: z.strictObject(machine).prefault({}).describe('Values for every host that says nothing else.'),
  operators: z.array(cidr()).default(['0.0.0.0/0', '::/0']).describe('Networks from which SSH is allowed.'),
  authorized_keys: z
    .array(z.string())
    .default([])
    .describe('Further public keys that may sign in, one OpenSSH line each.'),
  hosts: z.record(hostName(), hostSchema).describe('The hosts.'),
  apps: z
    .record(
      z.string().regex(APP_NAME, 'expected letters, digits, dots, dashes and underscores, a letter first'),
      appSchema,
    )
    .default({})
    .describe('The applications.'),
  monitor: z
    .strictObject({
      host: hostName().default('monitor').describe('Entry of `hosts:` that watches the others.'),
      domain: z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9.-]*$/, 'expected a host name')
        .optional()
        .describe('Host name of the dashboard in links; default: the address of the monitor.'),
      interval: duration().default(2_000).describe('Time from one sample of a host to the next.'),
      tls: z
        .strictObject({
          certificate: z.string().describe('Certificate chain (PEM file, relative to pipeline.yml).'),
          key: z.string().describe('Private key (PEM file, relative to pipeline.yml).'),
        })
        .optional()
        .describe('Serve the dashboard over https on port 443; port 80 sends visitors there.'),
      trusted_proxies: z
        .array(z.union([cidr(), z.ipv4(), z.ipv6()]))
        .default([])
        .describe(
          'Networks of proxies before the dashboard, trusted to report the visitor and the host asked for.',
        ),
      remote_write: z
        .strictObject({
          url: address.describe('Where the store takes it, e.g. https://prometheus.example/api/v1/write.'),
          headers: z
            .record(
              z.string().regex(/^[A-Za-z][A-Za-z0-9-]*$/, 'expected the name of a header'),
              z.union([
                z.string(),
                z.strictObject({
                  env: variable().describe('Name of the environment variable that holds the value.'),
                }),
              ]),
            )
            .default({})
            .describe(
              'Sent with each request, e.g. Authorization; from the environment where it is a secret.',
            ),
        })
        .optional()
        .describe('Forward every sample to a Prometheus-compatible store by remote write.'),
      status_page: z
        .strictObject({
          title: z.string().min(1).max(80).describe('Its title, e.g. the name of the company.'),
          apps: z
            .record(z.string(), z.string().min(1).max(80))
            .optional()
            .describe('Applications on it, and what visitors call them. Default: all, by name.'),
          folder: z
            .string()
            .regex(
              /^\/(srv|mnt|media)(\/[A-Za-z0-9._-]*[A-Za-z0-9_-])+$/,
              'expected a folder below /srv or /mnt',
            )
            .optional()
            .describe('Folder on the monitor, e.g. of a mounted disk: index.html is written there too.'),
          push: address
            .optional()
            .describe(
              'Put there too (PUT) every minute, so that it outlives the monitor; user:password@ is sent as ' +
                'an Authorization header.',
            ),
        })
        .optional()
        .describe('A page for everybody at /status: applications, 90 days, incidents. Default: none.'),
    })
    .optional()
    .describe('The monitor.'),
  checks: z
    .record(z.string().min(1).max(64), checkSchema)
    .default({})
    .describe('Addresses that must answer; what applications say of their health is checked anyway.'),
  logs: logsSchema.prefault({}).describe('Where logs are sent. To read them: pipeline logs.'),
  alerts: alertsSchema.prefault({}).describe('When to call people, and where.'),
  backups: backupsSchema
    .optional()
    .describe('Backups of databases, of what applications keep, and of the monitor, away from the host.'),
});

/**
 * The configuration as the program sees it: defaults filled in, durations in milliseconds, sizes in bytes.
 */
export type ConfigValues = z.output<typeof configSchema>;
export type HostConfig = z.output<typeof hostSchema>;

/** A loaded configuration: the values, and where they came from. */
export interface Config extends ConfigValues {
  /** Absolute path of the file. */
  readonly path: string;
  /** Absolute folder of the file: relative paths start here, and `.pipeline/` lies here. */
  readonly directory: string;
}
