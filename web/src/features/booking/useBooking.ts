/**
 * The steps of a booking: the form, a code to the contact, then the booking itself. What was
 * typed and proven is kept over a reload; each request has a key, so that a lost answer is asked
 * for again and nothing happens twice.
 */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import * as calls from '@/api/calls';
import { asProblem, newIntention, type Problem } from '@/api/client';
import type { Attempt, Booked, Practitioner } from '@/api/types';
import { useLanguage } from '@/i18n/i18n';
import { visitorZone } from '@/i18n/time';
import { againFrom } from '@/ui/Again';
import { readDate } from '@/ui/date';
import { declaredOf, emptyDeclared, unnamed, type DeclaredForm } from './DeclaredSection';
import { checkForm, emptyForm, errorsOf, patientOf, type BookingErrors, type BookingForm } from './form';
import { keepBooking, keptBooking, type Proof } from './kept';
import { priceOf, shownOf } from './price';
import { withWork } from './work';

type Channel = 'sms' | 'email';
type Asked = { channel?: Channel; again?: boolean };

export type BookingFlow = ReturnType<typeof useBooking>;

export function useBooking(practitioner: Practitioner, start: string, onTaken: () => void) {
  const { language } = useLanguage();
  const queries = useQueryClient();
  const [kept] = useState(() => keptBooking(practitioner.id));
  const [form, setForm] = useState<BookingForm>(kept?.form ?? emptyForm);
  const [declared, setDeclared] = useState<DeclaredForm>(kept?.declared ?? emptyDeclared);
  const [proof, setProof] = useState<Proof | null>(kept?.proof ?? null);
  const [errors, setErrors] = useState<BookingErrors>({});
  const [tried, setTried] = useState(false);
  const [resent, setResent] = useState(false);
  // One key per intention: the same person, the same time, the same proof. Another time is another intention.
  const intention = useRef({ key: kept?.key ?? newIntention(), keyFor: kept?.keyFor ?? '' });
  const asking = useRef({ key: newIntention(), keyFor: '' });

  const body = () => ({
    practitionerId: practitioner.id,
    start,
    patient: patientOf(form),
    locale: language,
    zone: visitorZone(),
    ...shownOf(priceOf(practitioner.price, readDate(form.birthDate), start)),
  });
  /** The key of an intention; another one when what is wanted changed. */
  const keyOf = (of: typeof asking, wanted: unknown) => {
    const keyFor = JSON.stringify(wanted);
    if (of.current.keyFor !== keyFor) of.current = { key: newIntention(), keyFor };
    return of.current.key;
  };
  const refused = (cause: unknown, of: typeof asking) => {
    const problem = asProblem(cause);
    setErrors(errorsOf(problem));
    if (problem.status !== 0 && problem.status < 500) of.current = { key: newIntention(), keyFor: '' };
    if (problem.code === 'slot-taken' || problem.field('start')) onTaken();
    if (problem.code === 'contact-not-proven' || problem.code === 'attempt-over' || Object.keys(errorsOf(problem)).length > 0) setProof(null);
    void queries.invalidateQueries({ queryKey: ['slots', practitioner.id] });
    // A price that changed in between is shown anew before anything is confirmed.
    if (problem.code === 'price-changed' || problem.field('priceShown')) void queries.invalidateQueries({ queryKey: ['practitioner', practitioner.id] });
  };

  const booking = useMutation<Booked, Problem, string>({
    mutationFn: (attempt) => {
      const wanted = { ...body(), ...declaredOf(declared), attempt };
      return calls.book(wanted, keyOf(intention, wanted));
    },
    onSuccess: () => keepBooking(null),
    onError: (cause) => refused(cause, intention),
  });
  const asked = useMutation<Attempt, Problem, Asked>({
    mutationFn: (how) => {
      const wanted = { ...body(), ...how };
      return withWork((work) => calls.startBooking({ ...wanted, ...work }, keyOf(asking, { ...wanted, ...work })), wanted.patient);
    },
    onSuccess: (a, how) => {
      asking.current = { key: newIntention(), keyFor: '' };
      setProof({ attempt: a.attempt, proven: a.proven, channel: a.channel, hint: a.hint, sent: a.sent, sentAt: a.sentAt, againFrom: againFrom(a.againAfter) });
      setResent(how.again === true && a.sent);
      if (a.proven) booking.mutate(a.attempt);
    },
    onError: (cause) => refused(cause, asking),
  });
  const verifying = useMutation<unknown, Problem, { proof: Proof; code: string }>({
    mutationFn: ({ proof: of, code }) => calls.verifyContact(of.attempt, code),
    onSuccess: (_, { proof: of }) => {
      setProof({ ...of, proven: true });
      booking.mutate(of.attempt);
    },
    onError: (cause) => {
      if (asProblem(cause).code === 'attempt-over') setProof(null);
    },
  });
  const { data: booked } = booking;
  useEffect(() => {
    if (!booked) keepBooking({ practitionerId: practitioner.id, form, declared, proof, ...intention.current });
  }, [booked, practitioner.id, form, declared, proof]);

  const forget = () => {
    for (const m of [booking, asked, verifying]) m.reset();
    setResent(false);
  };
  const error = booking.error ?? verifying.error ?? asked.error;
  const busy = booking.isPending || verifying.isPending || asked.isPending;
  const begin = (how: Asked) => {
    if (busy) return;
    forget();
    asked.mutate(how);
  };
  const both = form.phone.trim() !== '' && form.email.trim() !== '';
  let other: Channel | null = null;
  if (both) other = (proof?.channel ?? 'sms') === 'sms' ? 'email' : 'sms';
  return {
    form,
    setForm,
    declared,
    setDeclared,
    /** Somebody tried to go on: a list without words is asked for. */
    tried,
    errors,
    proof,
    other,
    resent,
    busy,
    booked,
    failure: error ? asProblem(error) : null,
    /** Forgets a refusal: something else is wanted now. */
    forget,
    check: (today: string) => {
      const wrong = checkForm(form, today);
      setErrors(wrong);
      setTried(true);
      return Object.keys(wrong).length === 0 && unnamed(declared).length === 0;
    },
    ask: () => begin({}),
    again: (channel: Channel) => begin({ channel, again: true }),
    confirm: (code: string) => {
      if (busy || !proof) return;
      forget();
      if (proof.proven) booking.mutate(proof.attempt);
      else verifying.mutate({ proof, code });
    },
    correct: () => {
      forget();
      setProof(null);
    },
  };
}
