import { describe, expect, it } from 'vitest';
import { readStatus, shownRollout } from '../../../src/hub/events/rollout-status.ts';
import { eventName } from '../../../src/hub/web/state/event-name.ts';
import {
  evidenceShare,
  oddsText,
  sideName,
  silence,
  stepStates,
  timeLeft,
  unitsOf,
  whyText,
} from '../../../src/hub/web/state/rollout.ts';
import { endedStatus, rolloutStatus } from '../sample/rollouts.ts';

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;
const shown = (status: ReturnType<typeof rolloutStatus>) =>
  shownRollout(readStatus(JSON.stringify(status)), {
    host: 'web',
    heardAt: Date.parse(status.at),
    aheadMs: 0,
  });
const running = shown(rolloutStatus('a1b2c3d4', NOW, NOW + 5 * MINUTE));
const ended = (kind: 'promoted' | 'taken back' | 'held') =>
  shown(endedStatus('a1b2c3d4', NOW, NOW + 20 * MINUTE, kind));

describe('evidence of harm', () => {
  it.each([
    [1, 'none'],
    [1.9, 'none'],
    [2.7, '2 to 1'],
    [143.9, '143 to 1'],
    [1e6, 'over a million to 1'],
    [Number.MAX_VALUE, 'over a million to 1'],
  ])('of odds %d is %s', (odds, text) => expect(oddsText(odds)).toBe(text));

  it('comes nearer to the alarm by powers', () => {
    expect([1, 10, 100, 1e9, 0.5].map((odds) => evidenceShare(odds, 100))).toEqual([0, 0.5, 1, 1, 0]);
  });
});

describe('a rollout', () => {
  it('shows which steps were taken', () => {
    const states = (of: typeof running) => stepStates(of).map(([, state]) => state);
    expect(states(running)).toEqual(['past', 'here', 'ahead', 'ahead', 'ahead']);
    expect(states(ended('taken back'))).toEqual(['past', 'past', 'ahead', 'ahead', 'ahead']);
    expect(states(ended('promoted'))).toEqual(['past', 'past', 'past', 'past', 'past']);
  });

  it('says why it is where it is', () => {
    expect(whyText(running)).toMatch(/^The step to 25 % waits for latency p90 to be shown no worse/);
    expect(whyText(ended('taken back'))).toBe('Errors (5xx): the evidence of harm is worth 143 to 1');
    expect(whyText(ended('held'))).toBe(
      'v2 (c20cadf) is held: the evidence did not suffice in time. ' +
        'The step to 25 % waits for somebody to promote or abort it',
    );
  });

  it('says what time is left, and what comes then', () => {
    expect(timeLeft(running)).toEqual({ left: '1 h 55 min', otherwise: 'then it waits for a person' });
    expect(timeLeft(ended('held'))).toBeUndefined();
  });

  it('is not passed off as new where its host is silent', () => {
    expect(silence(running, NOW + 5 * MINUTE + 30_000)).toBeUndefined();
    expect(silence(running, NOW + 8 * MINUTE)).toBe('3 min');
    expect(silence(ended('promoted'), NOW + 60 * MINUTE)).toBeUndefined();
  });

  it('names a version by its branch and commit, or by its commit alone', () => {
    const { candidate } = running;
    expect(sideName(candidate)).toBe('v2 (c20cadf)');
    expect(sideName({ ...candidate, ref: 'c20cadf0ffee' })).toBe('c20cadf0ffee');
    expect(sideName({ ...candidate, commit: null, release: '20261129-060000-c20cadf' })).toBe('v2 (c20cadf)');
  });

  it('counts what it tells apart', () => {
    expect(['visitor', 'address', 'header X-Key', 'request'].map(unitsOf)).toEqual([
      'Visitors',
      'Addresses',
      'Clients',
      undefined,
    ]);
  });

  it.each([
    ['step', 25, '◐ 25 %'],
    ['held', 25, '◐ held at 25 %'],
    ['taken back', 0, '◐ taken back'],
    ['promoted', 100, '◐ promoted'],
  ])('is marked on charts at %s', (result, percent, name) => {
    const event = {
      id: 'a',
      at: NOW,
      kind: 'rollout',
      action: 'rollout',
      app: 'shop',
      hosts: [],
      text: '',
    } as const;
    expect(eventName({ ...event, result, percent })).toBe(name);
  });
});
