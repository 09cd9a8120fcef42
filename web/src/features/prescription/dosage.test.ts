import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { translate } from '@/i18n/i18n';
import en from '@/i18n/en/prescription.json';
import fr from '@/i18n/fr/prescription.json';
import type { Dosage } from '@/api/types';
import { asText, firstDosage, readAmount, sentence, timingName, timings, whole } from './dosage';

const cases = JSON.parse(readFileSync(new URL('../../../../prescriptions/testdata/dosage.json', import.meta.url), 'utf8')) as { days: number; fr: string; en: string; dosage: Dosage }[];
const say = { fr: (k: string, p = {}) => translate(fr, 'fr', k, p), en: (k: string, p = {}) => translate(en, 'en', k, p) };

describe('dosage', () => {
  it.each(cases)('$fr', (c) => {
    expect(sentence(c.dosage, c.days, say.fr, 'fr')).toBe(c.fr);
    expect(sentence(c.dosage, c.days, say.en, 'en')).toBe(c.en);
    expect(whole(c.dosage)).toBe(true);
  });

  it('names each timing of the list, and gives the same back', () => {
    for (const [name, timing] of Object.entries(timings)) expect(timingName(timing)).toBe(name);
    expect(timingName({})).toBe('');
  });

  it('suggests a unit and presumes no frequency', () => {
    expect(firstDosage('comprimé pelliculé')).toEqual({ doseQuantity: { value: 1, code: '{tablet}' }, timing: {} });
    expect(firstDosage('suspension buvable').doseQuantity.code).toBe('mL');
    expect(whole(firstDosage('gélule'))).toBe(false);
    expect(whole({ ...cases[0]!.dosage, asNeededBoolean: true })).toBe(false);
  });

  it('reads what people type', () => {
    expect(readAmount('0,5')).toBe(0.5);
    expect(readAmount('1.25')).toBe(1.25);
    expect(readAmount('')).toBe(0);
    expect(readAmount('1.2.3')).toBe(0);
  });

  it('goes to free text with the words already there', () => {
    const line = asText({ name: 'X', form: 'comprimé', dosage: cases[0]!.dosage }, say.fr, 'fr');
    expect(line).toEqual({ name: 'X', form: 'comprimé', dose: '1 comprimé', frequency: 'matin et soir' });
    expect(asText(line, say.fr, 'fr').dosage).toEqual(firstDosage('comprimé'));
  });
});
