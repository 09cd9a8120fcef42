import { expect, test } from 'vitest';
import { declaredOf, unnamed, type DeclaredForm } from './DeclaredSection';

const form = (allergies: DeclaredForm['allergies'], treatments: DeclaredForm['treatments']): DeclaredForm => ({ allergies, treatments });
const nothing = { state: '', text: '' } as const;

test('"I have allergies" without words is asked for, never taken for "not given"', () => {
  expect(unnamed(form({ state: 'listed', text: ' ' }, nothing))).toEqual(['allergies']);
  expect(unnamed(form(nothing, { state: 'listed', text: '' }))).toEqual(['treatments']);
  expect(unnamed(form({ state: 'listed', text: '\u200b …' }, { state: 'listed', text: '-' }))).toEqual(['allergies', 'treatments']);
  expect(unnamed(form({ state: 'listed', text: 'Latex' }, { state: 'none', text: '' }))).toEqual([]);
});

test('nothing said is nothing sent; what is said is sent as it stands', () => {
  expect(declaredOf(form(nothing, nothing))).toEqual({});
  expect(declaredOf(form({ state: 'listed', text: ' Latex ' }, nothing))).toEqual({ declared: { allergies: { state: 'listed', text: 'Latex' }, treatments: { state: '' } } });
});
