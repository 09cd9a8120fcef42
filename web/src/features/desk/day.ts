/** The professional's day, put in the order in which it is lived. Pure; `now` is given. */
import type { DayItem } from '@/api/deskTypes';

export type Day = {
  /** In the call now. */
  current: DayItem[];
  /** In the waiting room, the longest wait first. */
  waiting: DayItem[];
  /** Not here yet, by planned time. */
  next: DayItem[];
  /** Finished or cancelled. */
  past: DayItem[];
};

export function arrange(items: readonly DayItem[]): Day {
  const by = (key: (i: DayItem) => string) => (a: DayItem, b: DayItem) => key(a).localeCompare(key(b));
  const status = (...wanted: DayItem['status'][]) => items.filter((i) => wanted.includes(i.status));
  return {
    current: status('in-progress').sort(by((i) => i.start)),
    waiting: status('arrived').sort(by((i) => i.waitingSince ?? i.start)),
    next: status('planned').sort(by((i) => i.start)),
    past: status('finished', 'cancelled').sort(by((i) => i.start)),
  };
}

/** Whole minutes from one instant to another, never negative. */
export function minutesSince(at: string, now: Date): number {
  return Math.max(0, Math.floor((now.getTime() - Date.parse(at)) / 60_000));
}

/** Minutes after which a wait is said with more weight. */
export const longWait = 15;

export type WaitWeight = 'wait' | 'warn';
export function weigh(minutes: number): WaitWeight {
  return minutes >= longWait ? 'warn' : 'wait';
}

/** Minutes by which somebody who has not come is late; null before the planned time plus the grace. */
export function lateBy(start: string, now: Date, grace = 2): number | null {
  const minutes = Math.floor((now.getTime() - Date.parse(start)) / 60_000);
  return minutes > grace ? minutes : null;
}

/** Who came into the waiting room between two readings of the day. */
export function arrivals(before: readonly DayItem[], after: readonly DayItem[]): DayItem[] {
  const there = new Set(before.filter((i) => i.status === 'arrived').map((i) => i.encounterId));
  return after.filter((i) => i.status === 'arrived' && !there.has(i.encounterId));
}

/** Completed years on a day (both YYYY-MM-DD). */
export function ageOn(birthDate: string, today: string): number {
  const years = Number(today.slice(0, 4)) - Number(birthDate.slice(0, 4));
  return today.slice(5) < birthDate.slice(5) ? years - 1 : years;
}
