import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Views } from './views';
import type { Slot } from './wire';

let slots: Slot[];
let told: string[];
let views: Views;

beforeEach(() => {
  vi.useFakeTimers();
  slots = [
    { mid: '4', seat: 'doc', kind: 'audio', source: 'voice' },
    { mid: '10', seat: 'doc', kind: 'video', source: 'camera' },
    { mid: '11', seat: 'doc', kind: 'video', source: 'screen' },
  ];
  told = [];
  views = new Views({ slots: () => slots, tell: (s) => told.push(s.map((x) => `${x.mid}:${x.height}`).join(' ')) });
});
afterEach(() => {
  views.dispose();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
const rest = () => vi.advanceTimersByTime(400);

test('sizes are told when they rest, once, and only of pictures that are known', () => {
  for (const height of [300, 340, 360.4]) views.set('doc', 'camera', height);
  views.set('nobody', 'camera', 100);
  rest();
  expect(told).toEqual(['10:360']);
  views.set('doc', 'camera', 360);
  rest();
  expect(told).toHaveLength(1);
});

test('a page in the background shows nothing, and all of it again when it is back', () => {
  views.set('doc', 'camera', 360);
  views.set('doc', 'screen', 720);
  rest();
  vi.stubGlobal('document', { hidden: true });
  views.soon();
  rest();
  vi.stubGlobal('document', { hidden: false });
  views.soon();
  rest();
  expect(told).toEqual(['10:360 11:720', '10:0 11:0', '10:360 11:720']);
});

test('a new connection is told again; a picture that is drawn no more is not named', () => {
  views.set('doc', 'camera', 360);
  rest();
  views.forget();
  rest();
  views.set('doc', 'camera', null);
  rest();
  expect(told).toEqual(['10:360', '10:360', '']);
});

test('nothing is said before there is anything to say', () => {
  views.soon();
  rest();
  expect(told).toEqual([]);
});
