import { expect, it } from 'vitest';
import en from './en/problems.json';
import fr from './fr/problems.json';

const codes = Object.keys(fr).filter((k) => !k.endsWith('.now') && !['retry', 'code', 'reference'].includes(k));

it('says for every problem what to do now', () => {
  for (const code of codes) {
    expect(fr, code).toHaveProperty([`${code}.now`]);
    expect(en, code).toHaveProperty([`${code}.now`]);
  }
});

it('knows every code the client makes itself and every kind of the server', () => {
  const needed = ['offline', 'slow', 'unreachable', 'unreadable-answer', 'page-fault', 'internal', 'unavailable', 'throttled', 'unauthenticated', 'forbidden', 'not-found', 'conflict', 'too-large'];
  expect(codes).toEqual(expect.arrayContaining(needed));
});
