import { describe, expect, it } from 'vitest';
import { actionOf, type Press } from '../../../src/hub/web/state/keyboard.ts';

describe('keys', () => {
  const press = (key: string, change: Partial<Press> = {}): Press => ({
    key,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    typing: false,
    inList: false,
    ...change,
  });
  it.each([
    [press('/'), { kind: 'search' }],
    [press('1'), { kind: 'range', range: '5m' }],
    [press('8'), { kind: 'range', range: '90d' }],
    [press('9'), undefined],
    [press('0'), undefined],
    [press('j', { typing: true }), undefined],
    [press('k'), { kind: 'previous' }],
    [press('ArrowDown'), undefined],
    [press('ArrowDown', { typing: true, inList: true }), { kind: 'next' }],
    [press('a', { ctrlKey: true }), undefined],
    [press('Escape', { typing: true }), { kind: 'escape' }],
    [press('constructor'), undefined],
  ])('%j', (key, action) => expect(actionOf(key)).toEqual(action));
});
