/** The five fields of a booking: what is checked before sending, and where the server's remarks go. */
import type { Problem } from '@/api/client';
import type { BookingRequest } from '@/api/types';
import { readDate } from '@/ui/date';
import { maybePhone } from '@/ui/phone';

export type BookingForm = { familyName: string; givenName: string; birthDate: string; phone: string; email: string };
export type BookingField = keyof BookingForm;
/** What is wrong with each field: a code (words in the catalogue under `field.`), or the server's own words for a code the page does not know. */
export type Remark = { code: string; detail?: string };
export type BookingErrors = Partial<Record<BookingField, Remark>>;

export const emptyForm: BookingForm = { familyName: '', givenName: '', birthDate: '', phone: '', email: '' };

/** Only what is certain is refused here; the server has the last word. `today` is YYYY-MM-DD. */
export function checkForm(form: BookingForm, today: string): BookingErrors {
  const errors: BookingErrors = {};
  if (form.familyName.trim() === '') errors.familyName = { code: 'required' };
  if (form.givenName.trim() === '') errors.givenName = { code: 'required' };
  const born = readDate(form.birthDate);
  if (form.birthDate.trim() === '') errors.birthDate = { code: 'required' };
  else if (born === null) errors.birthDate = { code: 'date' };
  else if (born > today) errors.birthDate = { code: 'in-future' };
  const phone = form.phone.trim();
  if (phone !== '' && !maybePhone(phone)) errors.phone = { code: 'phone' };
  if (form.email.trim() !== '' && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(form.email.trim())) errors.email = { code: 'email' };
  if (phone === '' && form.email.trim() === '') errors.phone = { code: 'phone-or-email-needed' };
  return errors;
}

/** Fields of the request for a form that checkForm accepts. */
export function patientOf(form: BookingForm): BookingRequest['patient'] {
  const phone = form.phone.trim();
  const email = form.email.trim();
  return {
    familyName: form.familyName.trim(),
    givenName: form.givenName.trim(),
    birthDate: readDate(form.birthDate) ?? '',
    ...(phone === '' ? {} : { phone }),
    ...(email === '' ? {} : { email }),
  };
}

/** The server's remarks on fields of the form; those on other fields stay with the problem. */
export function errorsOf(problem: Problem): BookingErrors {
  const errors: BookingErrors = {};
  for (const field of problem.fields) {
    const name = field.name.split('.').pop() ?? '';
    const remark: Remark = { code: field.code, ...(field.detail ? { detail: field.detail } : {}) };
    if (name === 'contact') errors.phone = remark;
    else if (name in emptyForm) errors[name as BookingField] = remark;
  }
  return errors;
}
