import { expect, it } from 'vitest';
import { contactOf } from './contact';

it.each([
  ['06 39 98 12 34', { phone: '06 39 98 12 34' }],
  ['+33 (6) 39-98-12-34', { phone: '+33 (6) 39-98-12-34' }],
  [' zoe@exemple.fr ', { email: 'zoe@exemple.fr' }],
  ['zoe@', null],
  ['zoe', null],
  ['', null],
  ['123', null],
])('%s', (text, expected) => {
  expect(contactOf(text)).toEqual(expected);
});
