/** What an application can say of itself. */
import { z } from 'zod';
import { commandKeys } from './command-schema.ts';
import { parseFault } from './faults.ts';
import { LANGUAGES } from './languages.ts';
import { persistSchema } from './persist-schema.ts';
import { jobsSchema, processesSchema } from './processes-schema.ts';
import { cidr, domain, hostName, name, port, variable } from './schema-values.ts';
import { bytes, duration } from './units.ts';
import { webKeys } from './web-schema.ts';

const secret = z.union([
  z.strictObject({ env: variable().describe('Name of the environment variable that holds the value.') }),
  z.strictObject({
    command: z.string().describe('Shell command that prints the value, e.g. pass show checkbox/mail.'),
  }),
  z.strictObject({
    generate: z
      .int()
      .min(8)
      .max(256)
      .describe('Length of a random value, generated once and kept on the host.'),
  }),
]);

export const healthSchema = z.strictObject({
  method: z.enum(['GET', 'POST', 'PUT', 'HEAD']).default('GET').describe('HTTP method.'),
  path: z.string().startsWith('/').default('/').describe('Path, with query if needed.'),
  headers: z.record(z.string(), z.string()).default({}).describe('Request headers.'),
  body: z.string().optional().describe('Request body.'),
  status: z
    .union([z.int(), z.array(z.int()).min(1)])
    .optional()
    .describe('Accepted status or statuses. Default: everything below 500.'),
  contains: z.string().optional().describe('Text that the answer must hold.'),
  within: duration()
    .optional()
    .describe('How long a new version may take to become healthy. Default: 30s, on tomcat 2m.'),
  timeout: duration().default(5_000).describe('How long one answer may take.'),
  consecutive: z.int().min(1).max(20).default(3).describe('How many good answers in a row make it healthy.'),
});

const requestSchema = z.strictObject({
  name: z.string().optional().describe('What reports call it; default: method and path.'),
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD']).default('GET').describe('HTTP method.'),
  path: z
    .union([z.string().startsWith('/'), z.array(z.string().startsWith('/')).min(1)])
    .describe(
      'Path on both sides. Several, where the refs differ: each side is asked the first one that ' +
        'it knows (answers other than 404).',
    ),
  baseline_path: z
    .string()
    .startsWith('/')
    .optional()
    .describe('Path on the baseline where the refs differ.'),
  candidate_path: z
    .string()
    .startsWith('/')
    .optional()
    .describe('Path on the candidate where the refs differ.'),
  headers: z.record(z.string(), z.string()).default({}).describe('Request headers.'),
  body: z.string().optional().describe('Body as text.'),
  body_file: z.string().optional().describe("Body from a file in the application's repository."),
  weight: z.number().positive().default(1).describe('Share of the load among the requests.'),
});

const captureSchema = z
  .strictObject({
    json: z.string().min(1).optional().describe('Path in a JSON body, with dots: form.token, items.0.id.'),
    regex: z
      .string()
      .min(1)
      .optional()
      .describe('Regular expression over the body: its first group, else all that it matches.'),
    header: z.string().min(1).optional().describe('Name of a response header.'),
  })
  .refine(
    (given) => Object.values(given).filter((one) => one !== undefined).length === 1,
    'expected one of json, regex and header',
  );

const stepSchema = z.strictObject({
  name: z.string().optional().describe('What reports call it; default: method and path.'),
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD']).default('GET').describe('HTTP method.'),
  path: z
    .string()
    .regex(/^(\/|\$\{)/, 'expected a path like /login, or ${name} of an earlier step')
    .describe('Path, with query if needed.'),
  headers: z.record(z.string(), z.string()).default({}).describe('Request headers.'),
  body: z.string().optional().describe('Body as text.'),
  body_file: z.string().optional().describe("Body from a file in the application's repository."),
  capture: z
    .record(variable(), captureSchema)
    .default({})
    .describe('Names for parts of the answer: later steps write ${name} in path, headers and body.'),
  status: z
    .union([z.int(), z.array(z.int()).min(1)])
    .optional()
    .describe('Statuses after which the visitor goes on. Default: all below 400.'),
});

const flowSchema = z.strictObject({
  name: z.string().min(1).describe('What reports call it, e.g. sign in.'),
  steps: z
    .array(stepSchema)
    .min(1)
    .max(100)
    .describe(
      'What a visitor asks, one after the other; cookies are kept, and the visitor stays on one side.',
    ),
  weight: z.number().positive().default(1).describe('Share of the visits among flows and requests.'),
});

const ownMetricSchema = z
  .strictObject({
    name: z.string().min(1).max(60).describe('What reports call it, e.g. queue depth.'),
    path: z.string().startsWith('/').describe("Path on the service's own port, asked every second."),
    prometheus: z
      .string()
      .regex(/^[A-Za-z_:][\w:]*(\{.*\})?$/, 'expected a name like jobs_total or jobs_total{queue="mail"}')
      .optional()
      .describe('Name of the samples in Prometheus text, with the labels that they must have.'),
    json: z.string().min(1).optional().describe('Path of a number in JSON, with dots: queue.depth.'),
    type: z.enum(['counter', 'gauge', 'histogram']).default('gauge').describe('What the number is.'),
    role: z
      .enum(['critical', 'watched', 'informative'])
      .default('watched')
      .describe('critical: must be shown to be no worse; watched: may reject; informative: is shown.'),
    tolerance: z.number().min(0).max(10).default(0.2).describe('How much more does not matter: 0.2 is 20 %.'),
  })
  .refine(
    ({ prometheus, json }) => (prometheus === undefined) !== (json === undefined),
    'expected one of prometheus and json',
  )
  .refine(
    ({ type, json }) => type !== 'histogram' || json === undefined,
    'a histogram comes from prometheus',
  );

export const canarySchema = z.strictObject({
  requests: z.array(requestSchema).default([]).describe('The load: what is asked of both versions.'),
  flows: z
    .array(flowSchema)
    .default([])
    .describe('The load, as visitors: each takes the steps of a flow one after the other.'),
  exclude: z
    .array(z.string().startsWith('/'))
    .default([])
    .describe('Beginnings of paths that `--replay` leaves out.'),
  rate: z.number().positive().max(5_000).default(100).describe('Requests a second, both versions together.'),
  duration: duration().default(120_000).describe('When to give up waiting for evidence.'),
  split: z.number().min(1).max(99).default(50).describe('Per cent of the requests that the candidate gets.'),
  warm_up: duration().default(2_000).describe('Time at the start that is not judged.'),
  tolerance: z
    .number()
    .min(0)
    .max(10)
    .default(0.1)
    .describe('How much slower does not matter, e.g. 0.1 for 10 %.'),
  critical: z
    .array(z.string())
    .optional()
    .describe(
      'Metrics that must be shown to be no worse: errors, bodies, latency, size, cpu, memory, restarts, ' +
        'error lines, or a name from reports; default: errors, bodies, latency.',
    ),
  metrics: z
    .array(ownMetricSchema)
    .default([])
    .describe('Numbers that the service itself exposes: more is worse.'),
  faults: z
    .array(
      z.string().superRefine((text, refinement) => {
        const parsed = parseFault(text);
        if (typeof parsed === 'string') refinement.addIssue({ code: 'custom', message: parsed });
      }),
    )
    .default([])
    .describe(
      'Faults done to both sides at once, e.g. kill:database@20s: kill:process, kill:database, ' +
        'slow:database:100ms, cpu:50%, disk:full, network:loss:2%; +10s says how long.',
    ),
  ignore_body: z
    .array(z.string())
    .default([])
    .describe('Regular expressions cut out of bodies before they are compared.'),
  memory: bytes().optional().describe('Local hosts: memory of each of the three hosts.'),
  cpus: z.number().positive().optional().describe('Local hosts: cores of each of the three hosts.'),
});

const siteSchema = z.strictObject({
  domains: z
    .array(domain())
    .default([])
    .describe('Host names that it answers to; none: every name that no other site claims.'),
  port: port().default(80).describe('Port on which nginx listens.'),
  tls: z
    .strictObject({
      certificate: z
        .string()
        .optional()
        .describe('Certificate chain (PEM file, relative to pipeline.yml), with `key`; or `acme`.'),
      key: z.string().optional().describe('Private key (PEM file, relative to pipeline.yml).'),
      acme: z
        .strictObject({
          email: z.email().optional().describe('Where the authority writes to before a certificate expires.'),
          directory: z
            .url({ protocol: /^https?$/ })
            .default('https://acme-v02.api.letsencrypt.org/directory')
            .describe("Address of the authority's directory (RFC 8555)."),
        })
        .optional()
        .describe('The host gets its certificate for `domains` by itself, and renews it.'),
      redirect: z.boolean().default(true).describe('Send visitors of port 80 to https.'),
    })
    .optional()
    .describe('Serve https on port 443.'),
  balancer: hostName()
    .optional()
    .describe('Entry of `hosts:` that spreads visitors over the hosts of the application; none of these.'),
  session_cookie: z
    .string()
    .regex(/^[A-Za-z0-9_]+$/, 'expected letters, digits and underscores')
    .optional()
    .describe(
      'Cookie of sessions that lie in one process: behind a balancer their visitors stay with its host, ' +
        'in a rollout with its version. Default: JSESSIONID on tomcat, else none.',
    ),
  trusted_proxies: z
    .array(z.union([cidr(), z.ipv4(), z.ipv6()]))
    .default([])
    .describe(
      "Networks of proxies in front, e.g. a cloud's load balancer, trusted to report the visitor's address.",
    ),
  static: z.string().optional().describe('Folder of the artifact that nginx serves itself.'),
  fallback: z
    .string()
    .regex(/^(?!(.*\/)?\.\.(\/|$))[^/\s"\\$][^\s"\\$]*$/, 'expected a file of `static`, like index.html')
    .optional()
    .describe(
      'File that answers where there is none, e.g. index.html of a single-page application. Default: 404.',
    ),
  routes: z
    .array(z.string().startsWith('/'))
    .default(['/'])
    .describe('Path prefixes that go to the service; everything else is static.'),
  max_body: bytes()
    .default(1024 ** 2)
    .describe('Largest request body.'),
  read_timeout: duration().default(60_000).describe('How long the service may take to answer.'),
  ...webKeys,
});

const rolloutSchema = z.strictObject({
  always: z.boolean().default(false).describe('Every deploy is a rollout, without --canary.'),
  steps: z
    .array(z.number().min(0.1).max(100).multipleOf(0.1))
    .min(1)
    .default([1, 5, 25, 50, 100])
    .refine(
      (steps) => steps.every((step, index) => step > (steps[index - 1] ?? 0)),
      'expected growing shares',
    )
    .describe('Shares of the visitors that the new version gets, per cent, growing; 100 follows by itself.'),
  by: z
    .union([
      z.enum(['visitor', 'address', 'request']),
      z.strictObject({
        header: z
          .string()
          .regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, 'expected the name of a header')
          .describe('Request header whose value tells clients apart, e.g. X-Api-Key.'),
      }),
    ])
    .default('visitor')
    .describe(
      'What makes a visitor the same one the next time: a cookie of the proxy, the address, a request ' +
        'header; or each request by itself.',
    ),
  at_most: duration().default(3_600_000).describe('When to do what `otherwise` says.'),
  otherwise: z
    .enum(['hold', 'promote', 'take back'])
    .default('hold')
    .describe('What is done when the evidence does not suffice in time; hold waits for a person.'),
  tester: variable()
    .optional()
    .describe(
      'Secret of `secrets:` by which testers choose: X-Pipeline-Version: candidate SECRET. Default: ' +
        'nobody can.',
    ),
});

const seedSchema = z.union([
  z.string().describe('SQL file of the artifact, relative to the directory.'),
  z.strictObject({ file: z.string().describe('SQL file, relative to pipeline.yml.') }),
  z.strictObject({
    command: z
      .string()
      .describe(
        "Shell command on this machine, in a checkout of the ref, with the service's " +
          'environment; the database is reached through SSH.',
      ),
  }),
]);

const databaseSchema = z.strictObject({
  engine: z.enum(['mariadb', 'mongodb', 'ferretdb']).describe('Which server.'),
  name: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, 'expected letters, digits and underscores, a letter first')
    .describe('Database name.'),
  user: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_]{0,30}$/, 'expected letters, digits and underscores, a letter first')
    .optional()
    .describe('User; default: the database name.'),
  host: hostName()
    .optional()
    .describe('Host of this configuration that runs it; default: the host of the application.'),
  port: port().optional().describe('ferretdb: port on the loopback address; default 27017.'),
  binary: z
    .string()
    .optional()
    .describe(
      'ferretdb: path or https address of the server (1.x): binary or .deb package. Default: the ' +
        'environment variable PIPELINE_FERRETDB, then the official release.',
    ),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits')
    .optional()
    .describe('ferretdb: SHA-256 of what `binary` names.'),
  repository: z
    .string()
    .optional()
    .describe("mongodb: line for apt's sources; default: MongoDB's own for the host's release."),
  seed: z
    .array(seedSchema)
    .default([])
    .describe('What fills an empty database, in this order, once; never one that holds data.'),
  backups: z
    .int()
    .min(0)
    .max(100)
    .default(5)
    .describe('Backups kept on the host of the database, one before each deploy; 0: none are made.'),
});

export const appSchema = z.strictObject({
  source: z.string().describe('Git repository: address, or path relative to pipeline.yml.'),
  ref: z
    .string()
    .optional()
    .describe("Branch, tag or commit deployed by default. Default: the repository's own default branch."),
  directory: z.string().default('.').describe('Folder of the service inside the repository.'),
  hosts: z.array(hostName()).min(1).describe('Entries of `hosts:` that serve it.'),
  runtime: z
    .enum(['node', 'tomcat', 'static', 'command', ...LANGUAGES])
    .optional()
    .describe(
      'Default: node where there is a package.json, tomcat where there is a pom.xml of ' +
        'packaging war, python with a requirements.txt or uv.lock, go with a go.mod, ruby with a ' +
        'Gemfile.lock, bun with a bun.lock, deno with a deno.json. command: any other.',
    ),
  node: z
    .string()
    .optional()
    .describe(
      "Node version, e.g. 20 or 20.11.1. Default: .nvmrc, then engines.node, then Node's newest LTS.",
    ),
  build: z
    .string()
    .optional()
    .describe(
      'Shell command run after the dependencies are installed. Default: npm run build where ' +
        'there is such a script; go build for go.',
    ),
  ...commandKeys,
  start: z
    .string()
    .optional()
    .describe(
      'Shell command that starts the service. Default: scripts.start, then main of package.json; web of a ' +
        'Procfile; the program of a Go module.',
    ),
  artifact: z
    .string()
    .optional()
    .describe('Tomcat: WAR that the build leaves, relative to the directory. Default: target/*.war.'),
  context: z
    .string()
    .regex(/^\/$|^(\/[A-Za-z0-9_.-]+)+$/, 'expected a path like /iTrust2')
    .optional()
    .describe('Tomcat: context path, e.g. /iTrust2. Default: /.'),
  sessions: z
    .enum(['shared', 'memory'])
    .optional()
    .describe(
      'Tomcat: shared keeps sessions on the disk after each request, so that they survive ' +
        'deploys and restarts; memory leaves them in the process. Default: shared.',
    ),
  port_variable: z
    .string()
    .regex(/^[A-Z_][A-Z0-9_]*$/, 'expected a name like PORT')
    .default('PORT')
    .describe('Environment variable that tells the service its port.'),
  fixed_port: port()
    .min(1024, 'expected 1024 or more: a service runs as a user of its own, who may not bind the ports below')
    .optional()
    .describe(
      'The port that the service always takes, where it reads none from the environment. Each ' +
        'instance then gets a network of its own.',
    ),
  env: z
    .record(variable(), z.string())
    .default({})
    .describe('Environment of the service. ${NAME} is replaced by a variable of a database or a secret.'),
  secrets: z
    .record(variable(), secret)
    .default({})
    .describe('Secret environment variables and where their values come from.'),
  files: z
    .record(z.string(), z.string())
    .default({})
    .describe(
      'Files laid over the artifact at release time: path in the artifact → template relative to ' +
        'pipeline.yml; ${NAME} is replaced by env and secrets.',
    ),
  persist: persistSchema,
  databases: z
    .record(name(), databaseSchema)
    .default({})
    .describe(
      'Databases by name; the service gets NAME_HOST, NAME_PORT, NAME_USER, NAME_PASSWORD and ' +
        'NAME_DATABASE, and env and files can use them.',
    ),
  health: healthSchema.prefault({}).describe('When a new version counts as healthy.'),
  site: siteSchema.prefault({}).describe('How nginx presents it.'),
  instances: z.int().min(1).max(16).default(1).describe('Processes for each host.'),
  memory: bytes().optional().describe('Memory limit of one instance.'),
  processes: processesSchema,
  jobs: jobsSchema,
  keep: z.int().min(2).max(50).default(5).describe('Releases kept on each host.'),
  drain: duration().default(30_000).describe('How long the old version may take to finish its requests.'),
  probation: duration()
    .default(0)
    .describe(
      'How long a new version is watched after the switch before the old one stops, e.g. 60s; it ' +
        'returns by itself when the new one fails.',
    ),
  watch: duration()
    .default(60_000)
    .describe(
      'How long the hosts watch a new version after the deploy has ended: where it fails, they ' +
        'start the one of before and go back; 0s: not at all.',
    ),
  hooks: z
    .strictObject({
      before_cut_over: z
        .string()
        .optional()
        .describe(
          'Shell command on the host, in the new release, before visitors reach it, e.g. a migration.',
        ),
      after_deploy: z
        .string()
        .optional()
        .describe('Shell command on the host, in the new release, after it is live.'),
    })
    .prefault({})
    .describe('Commands at fixed points of a deploy.'),
  canary: canarySchema.optional().describe('The experiment of `pipeline canary`.'),
  rollout: rolloutSchema.prefault({}).describe('How `deploy --canary` lets a new version in.'),
});

export type AppConfig = z.output<typeof appSchema>;
export type HealthCheck = z.output<typeof healthSchema>;
export type SecretSource = z.output<typeof secret>;
export type SeedConfig = z.output<typeof seedSchema>;
export type DatabaseConfig = z.output<typeof databaseSchema>;
export type CanaryConfig = z.output<typeof canarySchema>;
export type CanaryRequest = z.output<typeof requestSchema>;
export type CanaryFlow = z.output<typeof flowSchema>;
export type CanaryStep = z.output<typeof stepSchema>;
