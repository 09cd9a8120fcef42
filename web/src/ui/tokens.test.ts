import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const css = readFileSync(path.resolve(import.meta.dirname, 'tokens.css'), 'utf8');

function theme(selector: string): Record<string, string> {
  const block = css.slice(css.indexOf(`${selector} {`)).split('}')[0]!;
  return Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map((m) => [m[1], m[2]]));
}

/** Relative luminance and contrast, WCAG 2.2 §1.4.3. */
function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = Number.parseInt(colour.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

const light = theme(':root');
const themes = { light, 'dark, of the call': { ...light, ...theme('.dark') } };

const texts = ['ink', 'ink-soft', 'accent', 'good', 'warn', 'bad'].flatMap((t) => ['paper', 'mist'].map((on) => [t, on] as const));
const onTints = ['good', 'warn', 'bad', 'accent'].flatMap((t) => [[t, `${t}-soft`], ['ink', `${t}-soft`]] as const);
const shapes = [['line-strong', 'paper'], ['focus', 'paper'], ['focus', 'mist'], ['accent', 'paper']] as const;

describe.each(Object.entries(themes))('the %s theme', (_, colours) => {
  test.each([...texts, ...onTints, ['on-accent', 'accent'], ['on-accent', 'accent-strong'], ['paper', 'ink']] as const)('%s on %s can be read', (text, on) => {
    expect(contrast(colours[text]!, colours[on]!)).toBeGreaterThanOrEqual(4.5);
  });
  test.each(shapes)('%s on %s can be seen', (shape, on) => {
    expect(contrast(colours[shape]!, colours[on]!)).toBeGreaterThanOrEqual(3);
  });
});

test('the red of hang-up carries white words, and is seen on the dark bar', () => {
  expect(contrast('#ffffff', light.hangup!)).toBeGreaterThanOrEqual(4.5);
  expect(contrast(themes['dark, of the call'].hangup!, theme('.dark').paper!)).toBeGreaterThanOrEqual(3);
});
