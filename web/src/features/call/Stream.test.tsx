// @vitest-environment jsdom
// One stream after another in the same place: the call moved to another server, or the camera is another one.
import { act, cleanup, fireEvent, render } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Picture, Sound } from './Stream';

const stream = (id: string) => ({ id }) as unknown as MediaStream;
const [first, second] = [stream('first'), stream('second')];
const all = (kind: 'video' | 'audio') => [...document.querySelectorAll<HTMLMediaElement>(kind)];
const ids = (kind: 'video' | 'audio') => all(kind).map((e) => (e.srcObject as MediaStream | null)?.id);

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(HTMLMediaElement.prototype, 'play').mockResolvedValue();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

test('a picture stays until the first picture of the next is there', () => {
  const page = render(<Picture stream={first} label="Dr" />);
  const before = all('video')[0];
  page.rerender(<Picture stream={second} label="Dr" />);
  expect(ids('video')).toEqual(['first', 'second']);
  expect(all('video')[0]).toBe(before); // not made anew: it goes on showing
  expect(page.getAllByLabelText('Dr')).toHaveLength(1);
  const after = all('video')[1] as HTMLMediaElement;
  expect(after.style.opacity).toBe('0');
  fireEvent.playing(after);
  expect(ids('video')).toEqual(['second']);
  expect(all('video')[0]).toBe(after);
  expect(after.style.opacity).toBe('');
  expect(after.getAttribute('aria-label')).toBe('Dr');
});

test('a voice is not heard twice, and does not stop before the next', () => {
  const page = render(<Sound stream={first} />);
  page.rerender(<Sound stream={second} />);
  expect(ids('audio')).toEqual(['first', 'second']);
  expect(all('audio').map((e) => e.muted)).toEqual([false, true]);
  fireEvent.playing(all('audio')[1] as HTMLMediaElement);
  expect([ids('audio'), all('audio').map((e) => e.muted)]).toEqual([['second'], [false]]);
});

test('one that never begins is shown after 2 s all the same', () => {
  const page = render(<Picture stream={first} />);
  page.rerender(<Picture stream={second} />);
  act(() => void vi.advanceTimersByTime(1900));
  expect(ids('video')).toEqual(['first', 'second']);
  act(() => void vi.advanceTimersByTime(200));
  expect(ids('video')).toEqual(['second']);
});

test('nothing before, or nothing after, is not waited for', () => {
  const page = render(<Picture stream={undefined} />);
  page.rerender(<Picture stream={first} />);
  expect(ids('video')).toEqual(['first']);
  page.rerender(<Picture stream={undefined} />);
  expect(all('video')).toHaveLength(1);
  expect(ids('video')).toEqual([undefined]);
  page.rerender(<Picture stream={second} />);
  expect(ids('video')).toEqual(['second']);
});
