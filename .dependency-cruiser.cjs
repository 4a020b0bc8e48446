// Which way imports run. docs/architecture.md says why.
const below = {
  judge: [],
  config: ['errors', 'context', 'files'],
  ssh: ['errors', 'context', 'files'],
  metrics: ['errors', 'context', 'files'],
  inventory: ['errors', 'context', 'files', 'config', 'ssh'],
  cloud: ['errors', 'context', 'files', 'config', 'ssh'],
  host: ['errors', 'context', 'files', 'config', 'ssh', 'cloud'],
  proxy: ['errors', 'context', 'files', 'config', 'ssh', 'host'],
  build: ['errors', 'context', 'files', 'config', 'ssh'],
  roles: ['errors', 'context', 'files', 'config', 'ssh', 'cloud', 'host', 'proxy'],
  release: ['errors', 'context', 'files', 'config', 'ssh', 'cloud', 'inventory', 'host', 'proxy', 'build', 'roles', 'metrics', 'judge'],
  report: ['errors', 'context', 'files', 'judge', 'metrics'],
  canary: ['errors', 'context', 'files', 'config', 'ssh', 'cloud', 'inventory', 'host', 'proxy', 'build', 'roles', 'release', 'metrics', 'judge', 'report'],
  alerts: ['errors', 'context', 'files', 'config', 'metrics'],
  agent: ['errors', 'files', 'metrics'],
  monitor: ['errors', 'context', 'files', 'config', 'metrics', 'alerts', 'judge'],
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
    { name: 'no-cycles', comment: 'A cycle means that two files are one.', severity: 'error', from: { path: '^src/' }, to: { circular: true } },
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
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js'], conditionNames: ['import', 'node', 'default'], exportsFields: ['exports'] },
  },
};
