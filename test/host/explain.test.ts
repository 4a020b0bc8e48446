import { describe, expect, it } from 'vitest';
import type { Change } from '../../src/host/change.ts';
import { explainStep, type FailedStep } from '../../src/host/explain.ts';
import { CUT_OFF, REFUSED } from '../../src/host/script.ts';

const change = (id: string): Change => ({ id, action: 'install', diff: [], because: [], doing: '' });
const CHANGES = [
  change('file /etc/a'),
  change('package curl'),
  change('package nginx'),
  change('service nginx.service'),
];
const FAILED: FailedStep = {
  host: 'web',
  changes: CHANGES,
  index: 1,
  count: 2,
  exitCode: 100,
  output: [],
  disk: { freeBytes: 0, totalBytes: 8e9 },
};

describe('a step that failed is explained:', () => {
  it.each<[string, Partial<FailedStep>, string, readonly string[], string]>([
    [
      'no room on the disk',
      { output: ['Fetched 3 kB', "E: You don't have enough free space in /var/cache/apt/archives/."] },
      'web: step 2 of 4, package curl, failed (apt-get exit 100)',
      ["E: You don't have enough free space in /var/cache/apt/archives/."],
      'The host has 0 B free of 8 GB. Make room or give it a larger size, then run the command ' +
        'again: it goes on from here.',
    ],
    [
      'a package that no source has',
      { output: ['Reading package lists...', 'E: Unable to locate package nginx'] },
      'web: step 3 of 4, package nginx, failed (apt-get exit 100)',
      ['E: Unable to locate package nginx'],
      'No package source of the host has nginx.',
    ],
    [
      'a firewall that does not load, in words that apt has too',
      { index: 0, count: 1, output: ['new.nft:9:41-49: Error: Could not resolve protocol name'] },
      'web: step 1 of 4, file /etc/a, failed',
      ['new.nft:9:41-49: Error: Could not resolve protocol name'],
      'Mend what it complains of',
    ],
    [
      'a package that does not configure',
      {
        output: [
          'Setting up nginx …',
          'dpkg: error processing package nginx (--configure):',
          ' installed post-installation script returned 1',
        ],
      },
      'web: step 3 of 4, package nginx, failed',
      [
        'Setting up nginx …',
        'dpkg: error processing package nginx (--configure):',
        ' installed post-installation script returned 1',
      ],
      'Mend what it complains of',
    ],
    [
      'somebody holds the lock',
      {
        output: [
          'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 812 (unattended-upgr)',
        ],
      },
      'web: step 2 of 4, package curl, failed',
      ['E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 812 (unattended-upgr)'],
      'Packages are being changed by unattended-upgr (812)',
    ],
    [
      'no network',
      {
        output: ["E: Failed to fetch http://mirror.example/x  Temporary failure resolving 'mirror.example'"],
      },
      'web: step 2 of 4, package curl, failed',
      ["E: Failed to fetch http://mirror.example/x  Temporary failure resolving 'mirror.example'"],
      'The host does not reach its package sources.',
    ],
    [
      'others would have to go',
      { output: ['E: Packages need to be removed but remove is disabled.'] },
      'web: step 2 of 4, package curl, failed',
      ['E: Packages need to be removed but remove is disabled.'],
      'apt would have to remove other packages',
    ],
    [
      'content that its validation refuses',
      { index: 0, count: 1, exitCode: REFUSED, output: ['nginx: [emerg] unknown directive "lisen"'] },
      'web: step 1 of 4, file /etc/a, failed (exit 65)',
      ['nginx: [emerg] unknown directive "lisen"'],
      'what stood there before still stands',
    ],
    [
      'rules that cut us off',
      { index: 0, count: 1, exitCode: CUT_OFF, probe: 'Connection timed out' },
      'web: step 1 of 4, file /etc/a, failed',
      [],
      'did not come through (Connection timed out), so the host took them back',
    ],
    [
      'a service that does not start',
      {
        index: 3,
        count: 1,
        exitCode: 1,
        output: ['Job for nginx.service failed', '', 'nginx: [emerg] bind() failed'],
      },
      'web: step 4 of 4, service nginx.service, failed (systemctl exit 1)',
      ['Job for nginx.service failed', 'nginx: [emerg] bind() failed'],
      'pipeline prod ssh web -- journalctl -u nginx.service',
    ],
  ])('%s', (_title, failed, message, output, next) => {
    const failure = explainStep({ ...FAILED, ...failed });
    expect(failure.kind).toBe('host');
    expect(failure.message).toContain(message);
    expect(failure.output).toEqual(output);
    expect(failure.next).toContain(next);
    expect(failure.host).toBe('web');
  });

  it('with ten lines at most', () => {
    const failure = explainStep({ ...FAILED, output: Array.from({ length: 50 }, (_, i) => `line ${i}`) });
    expect(failure.output).toHaveLength(10);
    expect(failure.output.at(-1)).toBe('line 49');
  });
});
