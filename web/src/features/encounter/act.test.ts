import { describe, expect, it } from 'vitest';
import { closed, notesOf } from './act';

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
