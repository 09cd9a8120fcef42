import { describe, expect, it } from 'vitest';
import { chosenLine, confirmed, change, clean, complete, freeMedicine, lineName, medicineLine, readCount, sent } from './lines';

const line = medicineLine({ cis: '60234100', name: 'DOLIPRANE 1000 mg, comprimé', inn: 'paracétamol', form: 'comprimé', routes: ['orale'] });

describe('medicine lines', () => {
  it('starts from the index, not renewable, nothing presumed about dose or duration', () => {
    expect(line).toMatchObject({ cis: '60234100', inn: 'paracétamol', form: 'comprimé', dosage: { doseQuantity: { value: 1, code: '{tablet}' }, timing: {} }, renewals: 0, ald: false });
    expect(line.durationDays).toBeUndefined();
    expect(complete(line)).toBe(false);
  });

  it('reads as a sentence once dose, frequency and duration are there', () => {
    const { dosage: _, ...free } = line;
    expect(complete({ ...free, dose: '1 comprimé', frequency: '3 fois par jour', durationDays: 5 })).toBe(true);
    expect(complete({ ...line, durationDays: 5 })).toBe(false);
    expect(complete({ ...line, dosage: { doseQuantity: { value: 1, code: '{tablet}' }, timing: { when: ['MORN'] } }, durationDays: 5 })).toBe(true);
  });

  it('takes a medicine that is not in the index, without a code', () => {
    expect(freeMedicine('Préparation magistrale')).not.toHaveProperty('cis');
  });

  it('reads counts from what people type', () => {
    expect(readCount('5 jours')).toBe(5);
    expect(readCount('')).toBeUndefined();
    expect(readCount('123456')).toBe(1234);
  });

  it('forgets an emptied field instead of sending nothing for something', () => {
    const with5 = change(line, 'durationDays', 5);
    expect(with5.durationDays).toBe(5);
    expect(change(with5, 'durationDays', undefined)).not.toHaveProperty('durationDays');
  });

  it('sends trimmed texts and no empty free line', () => {
    expect(clean([{ text: ' NFS, CRP ' }, { text: '  ' }, { ...line, dose: ' 1 g ' }])).toEqual([{ text: 'NFS, CRP' }, { ...line, dose: '1 g' }]);
  });

  it('knows which lines are sent', () => {
    const lines = [{ text: '' }, { text: 'NFS' }, { text: ' ' }, { text: 'CRP' }];
    expect(sent(lines)).toEqual([{ text: 'NFS' }, { text: 'CRP' }]);
  });
});

describe('answers to what the server asks', () => {
  const written = { name: 'levothyrx 75', inn: 'x', form: '', dose: '1 comprimé', frequency: 'le matin', durationDays: 30, notRestricted: true, notPrescribed: ['A'] };

  it('takes the speciality and keeps how it is taken', () => {
    const m = { cis: '62080626', name: 'LEVOTHYROX 75 microgrammes, comprimé sécable', form: 'comprimé', inn: 'lévothyroxine sodique', routes: [] };
    expect(chosenLine(written, m)).toMatchObject({ cis: '62080626', name: m.name, inn: 'lévothyroxine sodique', dose: '1 comprimé', frequency: 'le matin', durationDays: 30 });
    expect(chosenLine(written, m)).not.toHaveProperty('notRestricted');
    expect(chosenLine(written, m)).not.toHaveProperty('dosage');
  });

  it('writes a regulated medicine that the base does not have, with the strength that was typed', () => {
    const xanax = { cis: '', name: 'XANAX', inn: 'alprazolam', routes: [], regulated: 'XANAX' };
    const fresh = medicineLine(xanax);
    expect(fresh).toMatchObject({ regulated: 'XANAX', inn: 'alprazolam', strength: '', form: '' });
    expect(fresh).not.toHaveProperty('cis');
    const dosed = { ...fresh, durationDays: 7, dosage: { doseQuantity: { value: 1, code: '{tablet}' }, timing: { when: ['HS' as const] } } };
    expect(complete(dosed)).toBe(false);
    expect(complete({ ...dosed, strength: '0,25 mg', form: 'comprimé' })).toBe(true);
    const chosen = chosenLine({ ...written, name: 'Xanax 0,25 mg' }, xanax);
    expect(chosen).toMatchObject({ regulated: 'XANAX', strength: '0,25 mg', form: '', dose: '1 comprimé', durationDays: 30 });
    expect(chosen).not.toHaveProperty('notRestricted');
    expect(lineName({ ...chosen, form: 'comprimé' })).toBe('XANAX 0,25 mg, comprimé');
    expect(chosenLine(chosen, { cis: '66796142', name: 'LEXOMIL 6 mg, comprimé', routes: [] })).not.toHaveProperty('regulated');
  });

  it('keeps a confirmation once', () => {
    expect(confirmed(confirmed(written, 'B'), 'B').notPrescribed).toEqual(['A', 'B']);
  });
});
