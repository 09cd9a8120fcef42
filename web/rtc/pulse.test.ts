// What a network that is merely bad does to the rhythm of what comes: nothing that looks like one that is gone.
import { describe, expect, test } from 'vitest';
import { lookEvery, Pulse } from './pulse';

/** The same numbers each time. */
function dice(seed: number) {
  let x = seed;
  return () => {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    return x / 2 ** 32;
  };
}

/** Times at which packets arrive, ms. */
type Arrivals = number[];

function stream(every: number, ms: number, arrives: (t: number) => number | null): Arrivals {
  const list: number[] = [];
  for (let t = 0; t < ms; t += every) {
    const at = arrives(t);
    if (at !== null) list.push(at);
  }
  return list.sort((a, b) => a - b);
}

/** Looks at these arrivals as the link does; gives when silence was noticed. */
function noticed(arrivals: Arrivals, ms: number, rttMs = 0): number[] {
  const pulse = new Pulse();
  const found: number[] = [];
  let n = 0;
  for (let now = 0; now < ms; now += lookEvery) {
    while (n < arrivals.length && (arrivals[n] as number) <= now) n += 1;
    if (pulse.look(n > 0 ? n : undefined, now + 1000, rttMs) === 'silent') found.push(now);
  }
  return found;
}

const minute = 60_000;
const burst = (length: number, every: number) => (t: number) => (t % every > every - length ? null : t + 40);

describe('a bad network is not a dead one', () => {
  const random = dice(7);
  test.each([
    ['a fifth lost', stream(20, minute, (t) => (random() < 0.2 ? null : t + 40))],
    ['a half lost', stream(20, minute, (t) => (random() < 0.5 ? null : t + 40))],
    ['300 ms of jitter', stream(20, minute, (t) => t + 40 + 300 * random())],
    ['a fifth lost of a voice that pauses', stream(400, minute, (t) => (random() < 0.2 ? null : t + 100 * random()))],
    ['400 ms lost at a time', stream(20, minute, burst(400, 3000))],
    ['held for 400 ms, then all at once', stream(20, minute, (t) => Math.ceil(t / 400) * 400)],
    ['a fifth lost in bursts of 200 ms', stream(20, minute, burst(200, 1000))],
  ])('%s', (_name, arrivals) => expect(noticed(arrivals, minute)).toEqual([]));

  test('a second lost at a time is asked about once, and then known', () => {
    expect(noticed(stream(20, minute, burst(1000, 4000)), minute)).toHaveLength(1);
  });

  test('a round trip of 400 ms is given its time', () => {
    expect(noticed(stream(20, minute, burst(1400, 20_000)), minute, 400)).toEqual([]);
  });
});

describe('a path that is gone', () => {
  const until = (end: number, every = 20) => stream(every, end, (t) => t + 40);
  test('is noticed within 0.9 s', () => {
    const [at] = noticed(until(20_000), 30_000);
    expect(at).toBeGreaterThanOrEqual(20_600);
    expect(at).toBeLessThanOrEqual(20_900);
  });
  test('with a voice that pauses, within 1.5 s', () => {
    const [at] = noticed(until(20_000, 400), 30_000);
    expect((at as number) - 20_000).toBeLessThanOrEqual(1500);
  });
  test('is noticed once', () => expect(noticed(until(20_000), minute)).toHaveLength(1));
  test('is not judged before there is a rhythm', () => expect(noticed(until(1000), 30_000)).toEqual([]));
});

test('looks that come late, and a browser that tells nothing, say nothing', () => {
  const pulse = new Pulse();
  for (let i = 0; i < 20; i += 1) pulse.look(i, i * lookEvery);
  expect(pulse.look(19, 20 * lookEvery + 5000)).toBeNull();
  expect(pulse.look(undefined, 21 * lookEvery + 5000)).toBeNull();
  expect(pulse.look(19, 22 * lookEvery + 5000)).toBe('beat');
});
