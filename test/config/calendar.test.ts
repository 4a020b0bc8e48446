/** Times of jobs: which forms are taken, and what is said of the others. */
import { describe, expect, it } from 'vitest';
import { calendarOfEvery, calendarProblem, isZone } from '../../src/config/calendar.ts';

describe('a time of a job', () => {
  it.each([
    '03:00',
    '3:05',
    '03:00:30',
    '*:0/15',
    '*-*-* 03:00',
    '*-*-01 04:00',
    '*-*~01 04:00',
    '2027-02-28 00:00',
    '02-29 12:00',
    'Mon 03:00',
    'Mon..Fri 08:30',
    'sat,Sunday 10:00',
    'Mon *-*-1..7 09:00',
    '08..18/2:00',
    '1,13:30',
    '*-1/3-1',
    'Fri',
    'daily',
    'hourly',
  ])('may be %s', (text) => {
    expect(calendarProblem(text)).toBeUndefined();
  });

  it.each([
    ['', 'expected a time like'],
    ['3', 'expected a time like'],
    ['3am', 'expected a time like'],
    ['0 3 * * *', 'expected a time like'],
    ['24:00', 'the hour 24 is not within 0 to 23'],
    ['03:60', 'the minute 60 is not within 0 to 59'],
    ['03:00:61', 'the second 61 is not within 0 to 59'],
    ['03:00:00:00', 'expected a time like'],
    ['*-13-01 03:00', 'the month 13 is not within 1 to 12'],
    ['*-*-32 03:00', 'the day 32 is not within 1 to 31'],
    ['*-02-30 03:00', '"*-02-30" never comes: that month has 29 days'],
    ['*-04,06-31', 'never comes'],
    ['1969-01-01 03:00', 'the year 1969 is not within'],
    ['Mon..Foo 03:00', '"Foo" is no weekday'],
    ['Someday', '"Someday" is no weekday'],
    ['Mon,, 03:00', 'expected a time like'],
    ['*:0/0', 'the minute 0/0 has the step 0'],
    ['10..8:00', 'the hour 10..8 goes backwards'],
    ['03:00 Europe/Berlin', 'write zone: Europe/Berlin beside it'],
    ['03:00 UTC', 'write zone: UTC beside it'],
    ['03:00 $(reboot)', 'expected a time like'],
    ['03:00\nUnit=ssh.service', 'expected a time like'],
  ])('is not %j', (text, problem) => {
    expect(calendarProblem(text)).toContain(problem);
  });
});

describe('every', () => {
  it.each([
    [10_000, '*-*-* *:*:00/10'],
    [60_000, '*-*-* *:00/1:00'],
    [15 * 60_000, '*-*-* *:00/15:00'],
    [3_600_000, '*-*-* 00/1:00:00'],
    [6 * 3_600_000, '*-*-* 00/6:00:00'],
    [24 * 3_600_000, '*-*-* 00:00:00'],
  ])('%i ms is %s', (ms, calendar) => {
    expect(calendarOfEvery(ms)).toBe(calendar);
  });
  it.each([0, 500, 7 * 60_000, 90 * 60_000, 5 * 3_600_000, 48 * 3_600_000, 61_000])(
    '%i ms divides nothing',
    (ms) => {
      expect(calendarOfEvery(ms)).toBeUndefined();
    },
  );
});

describe('a time zone', () => {
  it.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Asia/Calcutta'])(
    'may be %s',
    (zone) => {
      expect(isZone(zone)).toBe(true);
    },
  );
  it.each(['Berlin', 'europe/berlin', '+01:00', 'Europe/../../etc', '', 'EUROPE/BERLIN', 'Mars/Olympus'])(
    'is not %j',
    (zone) => {
      expect(isZone(zone)).toBe(false);
    },
  );
});
