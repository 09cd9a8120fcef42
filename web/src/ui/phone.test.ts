import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkForm, emptyForm, patientOf } from '@/features/booking/form';
import { contactOf } from '@/features/link/contact';
import { maybePhone } from './phone';

/** How people write numbers, and what the server makes of them: a number with +, or a refusal. */
const rows = readFileSync(new URL('../../../identity/traits/testdata/phones.tsv', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split('\t') as [string, string]);

test('there is a table', () => expect(rows.length).toBeGreaterThan(60));

test.each(rows.filter(([, read]) => read.startsWith('+')))('%s is sent as it was typed', (typed) => {
  expect(maybePhone(typed)).toBe(true);
  const form = { ...emptyForm, familyName: 'A', givenName: 'B', birthDate: '04/03/1952', phone: ` ${typed} ` };
  expect(checkForm(form, '2026-11-22')).toEqual({});
  expect(patientOf(form).phone).toBe(typed);
  expect(contactOf(` ${typed}`)).toEqual({ phone: typed });
});

test.each(['06 39 98 12 34', '(0)6 39 98 12 34', '+33 (0)6.39.98.12.34', '\u202a+33 6 39\u201198 12 34\u202c'])('%s may be a number', (typed) =>
  expect(maybePhone(typed)).toBe(true),
);

test.each(['', '12', '06 39 98 12 3O', '+49 151 2345O789', '+', '++49 151 23456789', '0049 151 2345 6789 0123 4567'])('%s is none', (typed) => {
  expect(maybePhone(typed)).toBe(false);
  expect(contactOf(typed)).toBeNull();
});
