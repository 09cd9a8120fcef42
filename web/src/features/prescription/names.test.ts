import { describe, expect, it } from 'vitest';
import type { PrescriptionLine } from '@/api/types';
import { LineNames } from './names';

const line = (text: string): PrescriptionLine => ({ text }) as PrescriptionLine;

describe('what the server said of a line is shown on that line alone', () => {
  it('follows the line when another one goes, and is on no new one', () => {
    const [a, b, c, d] = [line('a'), line('b'), line('c'), line('d')] as const;
    const names = new LineNames([a, b, c]);
    expect([0, 1, 2].map((i) => names.place(i))).toEqual([0, 1, 2]);
    names.remove(1);
    names.write([a, c]);
    expect([0, 1].map((i) => names.place(i))).toEqual([0, 2]);
    names.write([a, c, d]); // in the place of the one that went
    expect([0, 1, 2].map((i) => names.place(i))).toEqual([0, 2, -1]);
    names.answered([a, c, d]);
    expect([0, 1, 2].map((i) => names.place(i))).toEqual([0, 1, 2]);
  });

  it('counts the lines that were sent, and an answer to older lines is about those', () => {
    const [a, empty, c] = [line('a'), line('  '), line('c')] as const;
    const names = new LineNames([a, empty, c]);
    expect([0, 1, 2].map((i) => names.place(i))).toEqual([0, -1, 1]);
    const before = [a, empty, c];
    const changed = line('c changed');
    names.write([a, empty, changed]);
    names.answered(before);
    expect([0, 1, 2].map((i) => names.place(i))).toEqual([0, -1, 1]);
    names.remove(0);
    names.write([empty, changed]);
    names.answered(before);
    expect([0, 1].map((i) => names.place(i))).toEqual([-1, 1]);
  });
});
