import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Problem } from '@/api/client';
import { Autosave, type Save } from './autosave';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A server that keeps what it was given, answers after `delay` ms, and fails when told. */
function server() {
  const got: { value: string; tag: string }[] = [];
  const s = {
    got,
    delay: 10,
    fail: null as Problem | null,
    save: (async (value, tag) => {
      await new Promise((done) => setTimeout(done, s.delay));
      if (s.fail) throw s.fail;
      got.push({ value, tag });
      return { tag: `v${got.length}` };
    }) satisfies Save<string>,
  };
  return s;
}

describe('Autosave', () => {
  it('sends once, after the last keystroke', async () => {
    const s = server();
    const a = new Autosave<string>('', 'v0', s.save);
    for (const text of ['T', 'To', 'Tou', 'Toux']) {
      a.write(text);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(a.state()).toEqual({ is: 'waiting' });
    await vi.advanceTimersByTimeAsync(1000);
    expect(s.got).toEqual([{ value: 'Toux', tag: 'v0' }]);
    expect(a.state().is).toBe('saved');
    expect(a.pending()).toBe(false);
  });

  it('sends what was typed during a save afterwards, with the new tag', async () => {
    const s = server();
    s.delay = 500;
    const a = new Autosave<string>('', 'v0', s.save);
    a.write('a');
    await vi.advanceTimersByTimeAsync(900);
    a.write('ab');
    await vi.advanceTimersByTimeAsync(3000);
    expect(s.got).toEqual([
      { value: 'a', tag: 'v0' },
      { value: 'ab', tag: 'v1' },
    ]);
  });

  it('says that it is slow after three seconds', async () => {
    const s = server();
    s.delay = 5000;
    const a = new Autosave<string>('', 'v0', s.save);
    a.write('a');
    await vi.advanceTimersByTimeAsync(800 + 2900);
    expect(a.state()).toEqual({ is: 'saving', slow: false });
    await vi.advanceTimersByTimeAsync(200);
    expect(a.state()).toEqual({ is: 'saving', slow: true });
    await vi.advanceTimersByTimeAsync(3000);
    expect(a.state().is).toBe('saved');
  });

  it('keeps the text while the network is gone and sends it when it is back', async () => {
    const s = server();
    s.fail = new Problem({ code: 'offline' }, 0);
    const a = new Autosave<string>('', 'v0', s.save);
    a.write('a');
    await vi.advanceTimersByTimeAsync(1000);
    expect(a.state().is).toBe('kept');
    expect(a.pending()).toBe(true);
    s.fail = null;
    a.retryNow();
    await vi.advanceTimersByTimeAsync(20);
    expect(s.got).toEqual([{ value: 'a', tag: 'v0' }]);
    expect(a.pending()).toBe(false);
  });

  it('tries again by itself, less and less often', async () => {
    const s = server();
    s.fail = new Problem({}, 503);
    const save = vi.fn(s.save);
    const a = new Autosave<string>('', 'v0', save);
    a.write('a');
    await vi.advanceTimersByTimeAsync(60_000);
    // 0.8, 2.8, 6.8, 14.8, 30.8 s, then every 30 s.
    expect(save).toHaveBeenCalledTimes(5);
    a.stop();
  });

  it('never overwrites a version changed elsewhere', async () => {
    const s = server();
    s.fail = new Problem({ code: 'changed-meanwhile' }, 409);
    const save = vi.fn(s.save);
    const a = new Autosave<string>('', 'v0', save);
    a.write('mine');
    await vi.advanceTimersByTimeAsync(1000);
    expect(a.state().is).toBe('conflict');
    a.write('mine too');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(save).toHaveBeenCalledTimes(1);
    expect(await a.flush()).toBe(false);
    s.fail = null;
    const kept = a.keepMine('v9');
    await vi.advanceTimersByTimeAsync(20);
    expect(await kept).toBe(true);
    expect(s.got).toEqual([{ value: 'mine too', tag: 'v9' }]);
  });

  it('takes the other version when asked', async () => {
    const s = server();
    s.fail = new Problem({}, 409);
    const a = new Autosave<string>('', 'v0', s.save);
    a.write('mine');
    await vi.advanceTimersByTimeAsync(1000);
    s.fail = null;
    a.takeOther('theirs', 'v5');
    expect(a.pending()).toBe(false);
    a.write('theirs and mine');
    await vi.advanceTimersByTimeAsync(1000);
    expect(s.got).toEqual([{ value: 'theirs and mine', tag: 'v5' }]);
  });

  it('keeps the text when the session has ended, and saves it once somebody has signed in again', async () => {
    const s = server();
    s.fail = new Problem({ code: 'sign-in' }, 401);
    const a = new Autosave<string>('', 'v0', s.save);
    a.write('a');
    await vi.advanceTimersByTimeAsync(1000);
    expect(a.state().is).toBe('kept');
    s.fail = null;
    await vi.advanceTimersByTimeAsync(3000);
    expect(s.got).toEqual([{ value: 'a', tag: 'v0' }]);
  });

  it('does not insist on a text that the server refuses', async () => {
    const s = server();
    s.fail = new Problem({ fields: [{ name: 'motive', code: 'too-long' }] }, 422);
    const save = vi.fn(s.save);
    const a = new Autosave<string>('', 'v0', save);
    a.write('x'.repeat(9));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(a.state().is).toBe('refused');
    expect(save).toHaveBeenCalledTimes(1);
  });

  it('flushes at once, before a signature', async () => {
    const s = server();
    const a = new Autosave<string>('', 'v0', s.save);
    a.write('last word');
    const done = a.flush();
    await vi.advanceTimersByTimeAsync(20);
    expect(await done).toBe(true);
    expect(s.got).toHaveLength(1);
  });

  it('flushes what was typed while another save was under way', async () => {
    const s = server();
    s.delay = 500;
    const a = new Autosave<string>('', 'v0', s.save);
    a.write('a');
    await vi.advanceTimersByTimeAsync(900);
    a.write('ab');
    const done = a.flush();
    await vi.advanceTimersByTimeAsync(3000);
    expect(await done).toBe(true);
    expect(s.got.at(-1)).toEqual({ value: 'ab', tag: 'v1' });
  });

  it('meets a version found by the signature: the person chooses, and "mine" is sent even if nothing was typed', async () => {
    const s = server();
    const a = new Autosave<string>('Toux', 'v0', s.save);
    a.meet(new Problem({ code: 'changed-before-signing' }, 409));
    expect(a.state().is).toBe('conflict');
    const kept = a.keepMine('v7');
    await vi.advanceTimersByTimeAsync(50);
    expect(await kept).toBe(true);
    expect(s.got).toEqual([{ value: 'Toux', tag: 'v7' }]);
    expect(a.version()).toBe('v1');
  });
});
