import { describe, expect, it } from 'vitest';
import type { DayItem } from '@/api/deskTypes';
import { ageOn, arrange, arrivals, lateBy, minutesSince, weigh } from './day';

const item = (encounterId: string, status: DayItem['status'], start: string, waitingSince?: string): DayItem => ({
  encounterId,
  appointmentId: `a-${encounterId}`,
  start,
  end: start,
  patient: { id: 'p', displayName: 'P', role: 'patient', minor: false },
  status,
  consent: 'none',
  online: false,
  identityStatus: 'PROV',
  firstTime: false,
  host: true,
  ...(waitingSince ? { waitingSince } : {}),
});
const names = (items: DayItem[]) => items.map((i) => i.encounterId);

describe('arrange', () => {
  it('puts the longest wait first, whatever the planned time, and the rest by time', () => {
    const day = arrange([
      item('late', 'planned', '2026-11-22T09:00:00Z'),
      item('b', 'arrived', '2026-11-22T09:15:00Z', '2026-11-22T09:10:00Z'),
      item('a', 'arrived', '2026-11-22T09:45:00Z', '2026-11-22T09:01:00Z'),
      item('done', 'finished', '2026-11-22T08:00:00Z'),
      item('gone', 'cancelled', '2026-11-22T07:00:00Z'),
      item('now', 'in-progress', '2026-11-22T08:30:00Z'),
      item('early', 'planned', '2026-11-22T08:50:00Z'),
    ]);
    expect(names(day.current)).toEqual(['now']);
    expect(names(day.waiting)).toEqual(['a', 'b']);
    expect(names(day.next)).toEqual(['early', 'late']);
    expect(names(day.past)).toEqual(['gone', 'done']);
  });
});

describe('waits', () => {
  const now = new Date('2026-11-22T09:20:30Z');
  it('counts whole minutes and never less than none', () => {
    expect(minutesSince('2026-11-22T09:05:00Z', now)).toBe(15);
    expect(minutesSince('2026-11-22T09:21:00Z', now)).toBe(0);
  });
  it('weighs more from a quarter of an hour', () => {
    expect(weigh(14)).toBe('wait');
    expect(weigh(15)).toBe('warn');
  });
  it('calls nobody late within two minutes', () => {
    expect(lateBy('2026-11-22T09:18:00Z', now)).toBeNull();
    expect(lateBy('2026-11-22T09:17:00Z', now)).toBe(3);
    expect(lateBy('2026-11-22T10:00:00Z', now)).toBeNull();
  });
});

describe('arrivals', () => {
  it('names only those who were not waiting before', () => {
    const before = [item('a', 'arrived', ''), item('b', 'planned', '')];
    const after = [item('a', 'arrived', ''), item('b', 'arrived', ''), item('c', 'finished', '')];
    expect(names(arrivals(before, after))).toEqual(['b']);
  });
});

describe('ageOn', () => {
  it('counts completed years up to the birthday', () => {
    expect(ageOn('2015-11-23', '2026-11-22')).toBe(10);
    expect(ageOn('2015-11-22', '2026-11-22')).toBe(11);
    expect(ageOn('1979-03-28', '2026-11-22')).toBe(47);
  });
});
