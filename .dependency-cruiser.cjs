// Which way imports run. docs/architecture.md says why.
const base = [
  'errors',
  'contract',
  'context',
  'files',
  'installation',
  'redact',
  'format',
  'escape',
  'process',
];
const hosts = [...base, 'config', 'ssh', 'cloud', 'inventory', 'host', 'proxy', 'build', 'roles', 'database'];
// Every folder of src stands here: none is free to import what it likes.
const below = {
  contract: ['errors'],
  process: ['errors', 'context', 'redact', 'format'],
  judge: ['format'],
  config: base,
  ssh: base,
  metrics: base,
  inventory: [...base, 'config', 'ssh'],
  logs: [...base, 'ssh'],
  cloud: [...base, 'config', 'ssh'],
  host: [...base, 'config', 'ssh', 'cloud'],
  proxy: [...base, 'config', 'ssh', 'host'],
  build: [...base, 'config', 'ssh'],
  roles: [...base, 'config', 'ssh', 'cloud', 'host', 'proxy'],
  database: [...base, 'config', 'ssh', 'cloud', 'host', 'proxy', 'build', 'roles'],
  environment: [...hosts],
  rollout: ['contract', 'judge', 'proxy'],
  onhost: [...base, 'judge', 'proxy', 'rollout'],
  release: [...hosts, 'environment', 'metrics', 'judge'],
  report: [...base, 'judge', 'metrics'],
  canary: [...hosts, 'environment', 'release', 'metrics', 'judge', 'report'],
  alerts: [...base, 'config', 'metrics'],
  agent: ['errors', 'contract', 'files', 'redact', 'format', 'metrics', 'logs'],
  hub: [...base, 'config', 'metrics', 'alerts', 'judge', 'logs'],
  backup: [...hosts, 'environment', 'release'],
  watching: [...hosts, 'environment', 'release', 'canary', 'report', 'judge', 'metrics', 'alerts', 'hub'],
  cli: ['.*'],
};

const self = (folder) => `^src/${folder}(/|\\.ts$)`;

module.exports = {
  forbidden: [
    ...Object.entries(below).map(([folder, allowed]) => ({
      name: `${folder}-imports-downwards`,
      comment: `src/${folder} may import ${allowed.length === 0 ? 'nothing of ours' : `only ${allowed.join(', ')}`} (docs/architecture.md).`,
      severity: 'error',
      from: { path: self(folder) },
      to: { path: '^src/', pathNot: [folder, ...allowed].map(self) },
    })),
    {
      name: 'errors-stand-alone',
      comment: 'src/errors.ts imports nothing of ours.',
      severity: 'error',
      from: { path: '^src/errors\\.ts$' },
      to: { path: '^src/' },
    },
    {
      name: 'page-takes-types-and-words-alone',
      comment:
        'The dashboard takes the types of the API and how we write figures: what it imports goes to browsers.',
      severity: 'error',
      from: { path: '^src/hub/web/' },
      to: { path: '^src/', pathNot: ['^src/hub/web/', '^src/hub/api-types\\.ts$', '^src/format\\.ts$'] },
    },
    {
      name: 'no-cycles',
      comment: 'A cycle means that two files are one.',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true },
    },
    {
      name: 'product-not-on-tests',
      comment: 'What ships does not import tests or benchmarks.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.js'],
      conditionNames: ['import', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
};
