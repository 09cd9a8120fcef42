import { describe, expect, it } from 'vitest';
import { Problem } from '@/api/client';
import { fieldWords, otherWords } from './fields';

const problem = new Problem(
  {
    fields: [
      { name: 'lines[0].dose', code: 'required', detail: 'Indiquez la dose.' },
      { name: 'body.motive', code: 'too-long' },
      { name: 'patient.weight', code: 'required', detail: 'Le poids manque.' },
    ],
  },
  422,
);

describe('field words', () => {
  it('finds the exact field, not one that ends alike', () => {
    expect(fieldWords(problem, 'lines[0].dose')).toBe('Indiquez la dose.');
    expect(fieldWords(problem, 'lines[1].dose')).toBeUndefined();
    expect(fieldWords(problem, 'motive')).toBe('too-long');
    expect(fieldWords(undefined, 'motive')).toBeUndefined();
  });

  it('loses no refusal that has no field in view', () => {
    expect(otherWords(problem, ['lines[0].dose', 'motive'])).toEqual(['Le poids manque.']);
  });
});
