import { expect, it } from 'vitest';
import { answerChallenge, leadingZeros } from './work';

it('counts the zero bits at the beginning', () => {
  expect(leadingZeros(new Uint8Array([0x80]))).toBe(0);
  expect(leadingZeros(new Uint8Array([0x01, 0xff]))).toBe(7);
  expect(leadingZeros(new Uint8Array([0, 0x10]))).toBe(11);
  expect(leadingZeros(new Uint8Array([0, 0]))).toBe(16);
});

// The same as identity/contacts, TestContacts_WorkOfThePage.
it('answers a challenge as the server does', async () => {
  expect(await answerChallenge('1773129600.7.AAAAAAAAAAAAAAAAAAAAAA', '0639981234', 'zoe@exemple.fr')).toBe(expected);
});

it('leaves alone what is no challenge', async () => {
  for (const text of ['', 'x', '1.x.y', '1.99.y']) expect(await answerChallenge(text, '', '')).toBeNull();
});

const expected = '1773129600.7.AAAAAAAAAAAAAAAAAAAAAA.142';
