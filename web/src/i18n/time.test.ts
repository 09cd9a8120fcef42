import { describe, expect, it } from 'vitest';
import { addDays, dayOf, daysBetween, sameClock, sayBirthDate, sayDateTime, sayDay, sayDuration, sayMoney, sayTime, sayUntil, sayZone } from './time';

const paris = 'Europe/Paris';
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

describe('sayTime', () => {
  it.each([
    ['2026-11-24T13:30:00Z', 'fr', '14 h 30'],
    ['2026-11-24T08:00:00Z', 'fr', '9 h'],
    ['2026-11-23T23:05:00Z', 'fr', '0 h 05'],
    ['2026-11-24T13:30:00Z', 'en', '2:30 pm'],
    ['2026-11-24T11:00:00Z', 'en', '12 pm'],
    ['2026-11-23T23:00:00Z', 'en', '12 am'],
  ] as const)('%s in %s is %s', (at, language, said) => {
    expect(plain(sayTime(at, paris, language))).toBe(said);
  });

  it('follows the zone through the change of hour of 25 October 2026', () => {
    expect(plain(sayTime('2026-10-25T00:30:00Z', paris, 'fr'))).toBe('2 h 30');
    expect(plain(sayTime('2026-10-25T01:30:00Z', paris, 'fr'))).toBe('2 h 30');
    expect(plain(sayTime('2026-10-25T02:30:00Z', paris, 'fr'))).toBe('3 h 30');
  });
});

describe('sayDay', () => {
  it.each([
    ['2026-11-22', 'aujourd’hui', 'today'],
    ['2026-11-23', 'demain', 'tomorrow'],
    ['2026-11-21', 'hier', 'yesterday'],
    ['2026-11-24', 'mardi 24', 'Tuesday 24'],
    ['2026-11-28', 'samedi 28', 'Saturday 28'],
    ['2026-11-29', 'dimanche 29 novembre', 'Sunday 29 November'],
    ['2026-12-01', 'mardi 1er décembre', 'Tuesday 1 December'],
    ['2027-01-05', 'mardi 5 janvier 2027', 'Tuesday 5 January 2027'],
    ['2026-11-20', 'vendredi 20 novembre', 'Friday 20 November'],
  ])('%s on 22 November 2026', (day, fr, en) => {
    expect(sayDay(day, '2026-11-22', 'fr')).toBe(fr);
    expect(sayDay(day, '2026-11-22', 'en')).toBe(en);
  });
});

describe('instants', () => {
  const now = new Date('2026-11-22T22:30:00Z');

  it('says a day in the zone of the reader: near midnight Paris and La Réunion differ', () => {
    expect(plain(sayDateTime('2026-11-23T08:00:00Z', now, paris, 'fr'))).toBe('demain à 9 h');
    expect(plain(sayDateTime('2026-11-23T08:00:00Z', now, 'Indian/Reunion', 'fr'))).toBe('aujourd’hui à 12 h');
    expect(dayOf(now, 'Indian/Reunion')).toBe('2026-11-23');
  });

  it('says how long until, in minutes then hours, and nothing when past or far', () => {
    const at = (minutes: number) => new Date(now.getTime() + minutes * 60_000);
    expect(plain(sayUntil(at(12), now, 'fr') ?? '')).toBe('dans 12 minutes');
    expect(plain(sayUntil(at(89), now, 'en') ?? '')).toBe('in 89 minutes');
    expect(plain(sayUntil(at(180), now, 'fr') ?? '')).toBe('dans 3 heures');
    expect(sayUntil(at(0), now, 'fr')).toBeNull();
    expect(sayUntil(at(-5), now, 'fr')).toBeNull();
    expect(sayUntil(at(25 * 60), now, 'fr')).toBeNull();
  });

  it('compares clocks and names zones', () => {
    expect(sameClock(paris, 'Europe/Brussels', now)).toBe(true);
    expect(sameClock(paris, 'Indian/Reunion', now)).toBe(false);
    expect(sayZone('Indian/Reunion', now, 'fr')).toContain('Réunion');
  });

  it('counts days over a change of hour and a leap year', () => {
    expect(addDays('2026-10-24', 2)).toBe('2026-10-26');
    expect(addDays('2028-02-28', 1)).toBe('2028-02-29');
    expect(daysBetween('2026-10-24', '2026-10-26')).toBe(2);
  });
});

it('says birth dates, money and durations', () => {
  expect(sayBirthDate('1952-03-01', 'fr')).toBe('1er mars 1952');
  expect(plain(sayMoney(3000, 'fr'))).toBe('30 €');
  expect(plain(sayMoney(950, 'fr'))).toBe('9,50 €');
  expect(sayMoney(950, 'en')).toBe('€9.50');
  expect(plain(sayDuration(800))).toBe('13 min 20 s');
  expect(plain(sayDuration(59.9))).toBe('59 s');
  expect(plain(sayDuration(120))).toBe('2 min');
});
