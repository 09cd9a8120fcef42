import { describe, expect, it } from 'vitest';
import type { Counter } from '@/api/types';
import { given, left, linesDue, renewalsDue } from './counter';

const sheet = [{ name: 'A', quantity: 3, renewals: 1 }, { name: 'B' }];
const counter: Counter = {
  state: 'partial',
  renewal: 0,
  etag: '1',
  lines: [
    { line: 0, renewal: 0, extent: 'partial', given: 1, due: true },
    { line: 1, renewal: 0, extent: 'full', given: 0, due: false },
    { line: 0, renewal: 1, extent: 'none', given: 0, due: true },
  ],
};

describe('counter', () => {
  it('offers what is due, and nothing that was given in full', () => {
    expect(renewalsDue(counter)).toEqual([0, 1]);
    expect(linesDue(counter, 0)).toEqual([0]);
    expect(linesDue(counter, 2)).toEqual([]);
  });

  it('counts what is left', () => {
    expect(left(counter, sheet, 0, 0)).toBe(2);
    expect(left(counter, sheet, 0, 1)).toBe(3);
    expect(left(counter, sheet, 1, 0)).toBeUndefined();
  });

  it('sends what is left by default, what was typed, or nothing', () => {
    expect(given(counter, sheet, 0, new Map())).toEqual([{ line: 0, extent: 'full', quantity: 2 }]);
    expect(given(counter, sheet, 0, new Map([[0, { extent: 'partial', quantity: '1 boîte' }]]))).toEqual([{ line: 0, extent: 'partial', quantity: 1 }]);
    expect(given(counter, sheet, 0, new Map([[0, { extent: 'skip', quantity: '1' }]]))).toEqual([]);
  });
});
