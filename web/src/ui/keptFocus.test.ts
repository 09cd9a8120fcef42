// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keepFocus } from './keptFocus';

let stop: () => void;
beforeEach(() => {
  vi.useFakeTimers();
  document.body.innerHTML = '<main id="content" tabindex="-1"><h1 tabindex="-1">Page</h1><section id="part"><button id="gone">Do</button><button id="stays">Or</button></section><button id="outside">Go</button></main>';
  stop = keepFocus(document.body);
});
afterEach(() => {
  stop();
  vi.useRealTimers();
});

const get = (id: string) => document.getElementById(id)!;
/** Observers speak in a microtask; then the patience passes. */
async function pass() {
  await Promise.resolve();
  await vi.advanceTimersByTimeAsync(100);
}

test('the part around what went away takes the focus', async () => {
  get('gone').focus();
  get('gone').remove();
  await pass();
  expect(document.activeElement?.id).toBe('part');
});

test('with the part gone too, the heading of the page does', async () => {
  get('gone').focus();
  get('part').remove();
  await pass();
  expect(document.activeElement?.tagName).toBe('H1');
});

test('who took the focus in between keeps it', async () => {
  get('gone').focus();
  get('gone').remove();
  get('outside').focus();
  await pass();
  expect(document.activeElement?.id).toBe('outside');
});

test('nothing is taken when what had the focus is still there', async () => {
  get('stays').focus();
  get('gone').remove();
  get('stays').blur();
  await pass();
  expect(document.activeElement).toBe(document.body);
});

test('a part that cannot take it is passed over', async () => {
  get('part').focus = () => undefined;
  get('gone').focus();
  get('gone').remove();
  await pass();
  expect(document.activeElement?.tagName).toBe('H1');
});
