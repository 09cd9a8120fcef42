import { expect, it } from 'vitest';
import { extent, pieces } from './ribbon';

const at = (s: number) => new Date(Date.UTC(2026, 2, 10, 9, 0, s)).toISOString();
const seat = { seatId: 's', role: 'patient' as const, stretches: [
  { start: at(0), end: at(240), word: 'good' as const },
  { start: at(240), end: at(241), word: 'lost' as const, text: 'x' },
  { start: at(241), end: at(300), word: 'good' as const },
] };

it('lays stretches on one line for all seats', () => {
  const line = extent({ seats: [seat, { seatId: 't', role: 'doctor', stretches: [{ start: at(-100), end: at(0), word: 'good' }] }] });
  expect(line).toEqual({ from: Date.parse(at(-100)), to: Date.parse(at(300)) });
  const list = pieces(seat, line!);
  expect(list[0]).toMatchObject({ left: 25, width: 60 });
  expect(list[1]!.width).toBeGreaterThanOrEqual(0.8); // a second can be seen
  expect(list.every((p) => p.left + p.width <= 100.001)).toBe(true);
});

it('knows a call of which nothing is known', () => {
  expect(extent({ seats: [] })).toBeNull();
  expect(extent({ seats: [{ ...seat, stretches: [] }] })).toBeNull();
});
