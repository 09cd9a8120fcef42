// The table of moves against the function that decides: every change of one fact makes a move that is written down.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Ladder } from './ladder';
import { moveOf, moves } from './moves';
import { inCall, rungs, stateOf, type Known } from './state';

const facts = {
  phase: [{ at: 'idle' }, { at: 'started' }, { at: 'elsewhere', cause: 'taken' }, { at: 'ended', cause: 'host' }, { at: 'refused', cause: 'not_found' }],
  seat: [undefined, 'waiting', 'admitted'],
  held: [false, true],
  gate: [{ allowed: true }, { allowed: false, reason: 'consent_withdrawn' }],
  media: ['none', 'up', 'unstable', 'cut'],
  cutFor: [0, 5000, 60_000],
  signalling: [false, true],
  offline: [false, true],
  quality: ['good', 'weak', 'audio-only', 'lost'],
} as const;
type Fact = keyof typeof facts;

function* all(): Generator<Known> {
  const names = Object.keys(facts) as Fact[];
  const sizes = names.map((n) => facts[n].length);
  const count = sizes.reduce((a, b) => a * b, 1);
  for (let i = 0; i < count; i += 1) {
    let rest = i;
    const known: Record<string, unknown> = {};
    names.forEach((n, k) => {
      const value = facts[n][rest % (sizes[k] ?? 1)];
      rest = Math.floor(rest / (sizes[k] ?? 1));
      if (value !== undefined) known[n] = value;
    });
    yield known as unknown as Known;
  }
}

/** Media flows only of one who is in and may, and is away for a while only when it was cut; a seat once given is not forgotten. */
const possible = (a: Known, b: Known) =>
  (a.media === 'none' || (a.phase.at === 'started' && a.seat === 'admitted' && a.gate?.allowed === true)) &&
  (a.cutFor === 0 || a.media === 'cut') &&
  !(a.seat && !b.seat && a.phase.at === 'started');

test('every change of one fact is a move of the table', () => {
  const missing = new Set<string>();
  const made = new Set<string>();
  for (const a of all()) {
    const from = stateOf(a).state;
    for (const n of Object.keys(facts) as Fact[]) {
      for (const value of facts[n]) {
        const b = { ...a, [n]: value } as Known;
        const to = stateOf(b).state;
        if (from === to || !possible(a, b)) continue;
        // From the end there is only the beginning; an act of the person never skips the door.
        if (n === 'phase' && a.phase.at !== 'started' && b.phase.at === 'started' && b.seat) continue;
        if (n === 'phase' && !['started', 'idle'].includes(a.phase.at) && !['started', 'idle', 'refused', 'ended'].includes(b.phase.at)) continue;
        if (n === 'phase' && a.phase.at === 'idle' && !['started', 'refused'].includes(b.phase.at)) continue;
        if (n === 'phase' && ['ended', 'refused'].includes(a.phase.at) && b.phase.at === 'ended') continue;
        made.add(`${from} → ${to}`);
        if (!moveOf(from, to)) missing.add(`${from} → ${to} (${n})`);
      }
    }
  }
  expect([...missing]).toEqual([]);
  expect(made.size).toBeGreaterThan(50);
});

test('each move has a reason and a time, and leaves the state it comes from', () => {
  for (const m of moves) {
    expect(m.because).not.toBe('');
    expect(m.within).toBeGreaterThanOrEqual(0);
    expect(m.within).toBeLessThanOrEqual(60_000);
    expect(m.from.filter((f) => f === m.to && m.to !== 'idle' && m.to !== 'refused' && m.to !== 'ended')).toEqual([]);
  }
});

test('the page shows the people of the call however well it goes', () => {
  expect((['live', 'weak', 'reconnecting', 'lost'] as const).every(inCall)).toBe(true);
  expect((['idle', 'preparing', 'waiting', 'held', 'blocked', 'joining', 'elsewhere', 'ended', 'refused'] as const).some(inCall)).toBe(false);
});

describe('the ladder', () => {
  let steps: string[];
  let ladder: Ladder;
  beforeEach(() => {
    vi.useFakeTimers();
    vi.setSystemTime(1_000_000);
    steps = [];
    ladder = new Ladder((s) => steps.push(`${s} ${Date.now() - 1_000_000}`));
  });
  afterEach(() => {
    ladder.rise();
    vi.useRealTimers();
  });

  test('one step after the other, from the last packet, and a new connection every 8 s after that', () => {
    ladder.fall(1_000_000 - 1000);
    vi.advanceTimersByTime(30_000);
    expect(steps).toEqual(['restart 500', 'unstable 1000', 'cut 2000', 'rebuild 8500', 'rebuild 16500', 'rebuild 24500']);
    vi.advanceTimersByTime(30_000);
    expect(steps).toContain(`telephone ${rungs.telephone - 1000}`);
  });

  test('what comes back in time makes no step, and a second fall starts anew', () => {
    ladder.fall(1_000_000);
    vi.advanceTimersByTime(1400);
    ladder.rise();
    vi.advanceTimersByTime(60_000);
    expect(steps).toEqual([]);
    expect(ladder.since).toBe(0);
  });

  test('a path that is dead for sure is not waited for', () => {
    ladder.fall(1_000_000);
    vi.advanceTimersByTime(500);
    ladder.hurry();
    vi.advanceTimersByTime(9000);
    expect(steps).toEqual(['cut 500', 'restart 500', 'rebuild 8500']);
  });

  test('signalling that is new tries at once what has not been tried, and nothing when all is well or it was', () => {
    ladder.soon();
    vi.advanceTimersByTime(1000);
    ladder.fall(1_001_000);
    vi.advanceTimersByTime(1200);
    ladder.soon();
    vi.advanceTimersByTime(100);
    ladder.soon();
    vi.advanceTimersByTime(1800);
    expect(steps).toEqual(['restart 2200', 'unstable 3000', 'cut 4000']);
  });

  test('a new connection after a node’s death gets its time before the next', () => {
    ladder.rejoin();
    vi.advanceTimersByTime(9000);
    expect(steps).toEqual(['rebuild 8000']);
  });
});
