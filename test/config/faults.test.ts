import { describe, expect, it } from 'vitest';
import { parseFault } from '../../src/config/faults.ts';

describe('a fault as people write it', () => {
  it.each([
    ['kill:database@20s', { kind: 'kill:database', amount: null, at: 20, seconds: 10 }],
    ['kill:process', { kind: 'kill:process', amount: null, at: 10, seconds: 10 }],
    ['slow:database:100ms@1m+15s', { kind: 'slow:database', amount: 100, at: 60, seconds: 15 }],
    ['cpu:50%+5s', { kind: 'cpu', amount: 50, at: 10, seconds: 5 }],
    ['disk:full', { kind: 'disk:full', amount: null, at: 10, seconds: 10 }],
    ['network:loss:2.5%', { kind: 'network:loss', amount: 2.5, at: 10, seconds: 10 }],
  ])('%s', (text, fault) => {
    expect(parseFault(text)).toEqual({ text, ...fault });
  });

  it.each([
    ['kill:databse', /is no fault: faults are kill:database, kill:process, slow:database:100ms, cpu:50%/],
    ['toString', /is no fault/],
    ['kill:process:50%', /takes no amount/],
    ['slow:database', /needs an amount, e\.g\. slow:database:100ms/],
    ['cpu:50ms', /needs an amount, e\.g\. cpu:50%/],
    ['cpu:150%', /between 0\.1 and 100 %/],
    ['slow:database:60000ms', /between 1 and 5000 ms/],
    ['kill:process+0s', /a second at least/],
    ['', /is no fault/],
  ])('refuses "%s"', (text, message) => {
    expect(parseFault(text)).toMatch(message);
  });
});
