import { describe, expect, it } from 'vitest';
import { closed, nextReading, notesOf } from './act';

describe('a stay', () => {
  it('says nothing of what was seen in time', () => expect(notesOf({})).toEqual([]));
  it('says an end that nobody saw, and what was written late', () => {
    expect(notesOf({ endAssumed: true })).toEqual(['assumed']);
    expect(notesOf({ endAssumed: true, toldLate: true })).toEqual(['assumed', 'toldLate']);
  });
});

it('an act is closed when it is over or will not be', () => {
  expect((['planned', 'arrived', 'in-progress', 'finished', 'cancelled'] as const).filter((status) => closed({ status }))).toEqual(['finished', 'cancelled']);
});

it('an act that ended is read again until it says all that is known', () => {
  expect(nextReading({ status: 'in-progress', settled: false })).toBe(5000);
  expect(nextReading({ status: 'finished', settled: false })).toBe(1000);
  expect(nextReading({ status: 'finished', settled: true })).toBe(false);
  expect(nextReading({ status: 'cancelled', settled: false })).toBe(false);
});
