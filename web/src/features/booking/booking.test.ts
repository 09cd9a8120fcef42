import { describe, expect, it } from 'vitest';
import { Problem } from '@/api/client';
import { checkForm, emptyForm, errorsOf, patientOf, type BookingForm } from './form';
import { slotDays } from './slots';

const whole: BookingForm = { familyName: ' D’Aubigné ', givenName: 'Zoé', birthDate: '04/03/1952', phone: '06 39 98 12 34', email: '' };
const today = '2026-11-22';

describe('checkForm', () => {
  it('accepts a phone alone, an address alone, or both', () => {
    expect(checkForm(whole, today)).toEqual({});
    expect(checkForm({ ...whole, phone: '', email: 'zoe@exemple.fr' }, today)).toEqual({});
    expect(checkForm({ ...whole, phone: '+262 692 12 34 56' }, today)).toEqual({});
  });

  it('names every field that is wrong', () => {
    expect(checkForm(emptyForm, today)).toEqual({
      familyName: { code: 'required' },
      givenName: { code: 'required' },
      birthDate: { code: 'required' },
      phone: { code: 'phone-or-email-needed' },
    });
    expect(checkForm({ ...whole, birthDate: '31/02/1990', phone: '12', email: 'zoe@' }, today)).toEqual({ birthDate: { code: 'date' }, phone: { code: 'phone' }, email: { code: 'email' } });
    expect(checkForm({ ...whole, birthDate: '23/11/2026' }, today)).toEqual({ birthDate: { code: 'in-future' } });
    expect(checkForm({ ...whole, birthDate: '22/11/2026' }, today)).toEqual({});
  });
});

it('sends trimmed names, an ISO date, the number as typed, and leaves empty contacts out', () => {
  expect(patientOf(whole)).toEqual({ familyName: 'D’Aubigné', givenName: 'Zoé', birthDate: '1952-03-04', phone: '06 39 98 12 34' });
});

it('puts the remarks of the server on the fields of the form', () => {
  const fields = [
    { name: 'patient.birthDate', code: 'in-future', detail: 'Trop tard' },
    { name: 'contact', code: 'phone-or-email-needed' },
    { name: 'start', code: 'in-past' },
  ];
  const problem = new Problem({ code: 'invalid', fields }, 422);
  expect(errorsOf(problem)).toEqual({ birthDate: { code: 'in-future', detail: 'Trop tard' }, phone: { code: 'phone-or-email-needed' } });
  expect(problem.field('start')?.code).toBe('in-past');
});

describe('slotDays', () => {
  const slot = (start: string) => ({ scheduleId: 's', start, end: start });

  it('groups by the day and part of the day of the visitor, in order', () => {
    const days = slotDays([slot('2026-11-24T13:00:00Z'), slot('2026-11-23T22:30:00Z'), slot('2026-11-24T08:00:00Z')], 'Europe/Paris');
    expect(days.map((d) => [d.day, d.count, d.parts.map((p) => p.part)])).toEqual([
      ['2026-11-23', 1, ['evening']],
      ['2026-11-24', 2, ['morning', 'afternoon']],
    ]);
  });

  it('moves a slot to the next day where the visitor’s clock says so', () => {
    expect(slotDays([slot('2026-11-23T22:30:00Z')], 'Indian/Reunion').map((d) => d.day)).toEqual(['2026-11-24']);
  });

  it('has nothing to say about no slots', () => {
    expect(slotDays([], 'Europe/Paris')).toEqual([]);
  });
});
