import { describe, expect, it } from 'vitest';
import { age, bytes, duration } from '../src/format.ts';

describe('bytes', () => {
  it.each([
    [0, '0 B'],
    [47, '47 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [5476, '5.48 kB'],
    [999_400, '999 kB'],
    [999_600, '1 MB'],
    [104e6, '104 MB'],
    [8e9, '8 GB'],
    [3.2e18, '3200 PB'],
    [-2000, '-2 kB'],
  ])('%d are %s', (count, text) => expect(bytes(count)).toBe(text));
});

describe('a duration', () => {
  it.each([
    [0, '0 ms'],
    [0.0004, '0.0004 ms'],
    [0.42, '0.42 ms'],
    [31.04, '31 ms'],
    [999.4, '999 ms'],
    [999.6, '1 s'],
    [3210, '3.21 s'],
    [59_940, '59.9 s'],
    [59_960, '1 min'],
    [60_000, '1 min'],
    [125_400, '2 min 5 s'],
    [3_599_400, '59 min 59 s'],
    [3_599_600, '1 h'],
    [12_000_000, '3 h 20 min'],
    [172_800_000, '2 days'],
    [187_200_000, '2 days 4 h'],
  ])('of %d ms is %s', (ms, text) => expect(duration(ms)).toBe(text));
});

describe('an age', () => {
  it.each([
    [-5, '0 s'],
    [12_400, '12 s'],
    [89_000, '89 s'],
    [180_000, '3 min'],
    [18_000_000, '5 h'],
    [777_600_000, '9 days'],
  ])('of %d ms is %s', (ms, text) => expect(age(ms)).toBe(text));
});
