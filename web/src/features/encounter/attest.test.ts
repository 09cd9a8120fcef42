import { describe, expect, it } from 'vitest';
import { attestedBy, type Typed } from './Attest';
import { situationsOf } from './Emergency';

const whole: Typed = { ground: 'parents', name: ' Rose Moreau ', relation: 'mother', document: 'passport' };

describe('attestedBy', () => {
  it.each<[string, boolean, Typed, unknown]>([
    ['an adult needs nobody', false, whole, {}],
    ['a parent whose document was seen', true, whole, { representative: { name: 'Rose Moreau', relation: 'mother', document: 'passport' } }],
    ['no name', true, { ...whole, name: '  ' }, null],
    ['no relation', true, { ...whole, relation: '' }, null],
    ['no document', true, { ...whole, document: '' }, null],
    ['a chosen adult, whatever relation was typed', true, { ...whole, ground: 'secrecy' }, { ground: 'secrecy', representative: { name: 'Rose Moreau', relation: 'chosen-adult', document: 'passport' } }],
    ['a chosen adult without a document', true, { ...whole, ground: 'secrecy', document: '' }, null],
    ['contraception: nobody else', true, { ...whole, ground: 'contraception' }, { ground: 'contraception' }],
  ])('%s', (_, minor, typed, want) => expect(attestedBy(minor, typed)).toEqual(want));
});

describe('situationsOf', () => {
  it.each<[boolean, Parameters<typeof situationsOf>[1], string[]]>([
    [false, 'none', ['unable']],
    [false, 'refused', []],
    [false, 'withdrawn', []],
    [false, 'granted', []],
    [true, 'none', ['unable', 'unreachable']],
    [true, 'refused', ['minor-refused']],
    [true, 'withdrawn', ['minor-refused']],
    [true, 'granted', []],
    [true, 'emergency', []],
  ])('minor %s, %s', (minor, consent, want) => expect(situationsOf(minor, consent)).toEqual(want));
});
