import { expect, test } from 'vitest';
import { consoleLines } from '../../../src/cloud/local/running.ts';

test('a console is read without what only moves and colours', () => {
  const text = [
    '[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39mdbus.service\x1b[0m - D-Bus System Message Bus.',
    '\x1b[K[***   ] (1 of 2) Job ssh.service/start running (39s / 2min 8s)',
    '\x1bM\r\x1b[K[\x1b[0;1;31mFAILED\x1b[0m] Failed to start ssh.service.',
    '',
  ].join('\n');
  expect(consoleLines(text)).toEqual([
    '[  OK  ] Started dbus.service - D-Bus System Message Bus.',
    '[FAILED] Failed to start ssh.service.',
  ]);
});
