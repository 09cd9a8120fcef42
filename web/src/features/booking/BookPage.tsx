/** Confirm a time in five fields, the price in view; then say where the link was sent. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useLocation, useSearch } from 'wouter';
import * as calls from '@/api/calls';
import { asProblem, newIntention, type Problem } from '@/api/client';
import type { Booked, Practitioner } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, dayOf, sameClock, sayDateTime, sayTime, sayZone, visitorZone } from '@/i18n/time';
import { Alert, Failure } from '@/ui/Alert';
import { Button, LinkButton } from '@/ui/Button';
import { DateField, TextField } from '@/ui/Field';
import { Loading } from '@/ui/Loading';
import { PatientPage, Section, useNow } from '@/ui/Page';
import { BookedPage } from './BookedPage';
import { declaredOf, DeclaredSection, emptyDeclared } from './DeclaredSection';
import { checkForm, emptyForm, errorsOf, patientOf, type BookingErrors, type BookingField, type BookingForm } from './form';
import { PriceNote } from './PriceNote';
import { SlotPicker } from './SlotPicker';
import styles from './booking.module.css';

export default function BookPage() {
  const t = useT('booking');
  const { language } = useLanguage();
  const search = new URLSearchParams(useSearch());
  const practitionerId = search.get('medecin') ?? '';
  const start = search.get('debut') ?? '';
  const wanted = practitionerId !== '' && !Number.isNaN(Date.parse(start));
  const found = useQuery({
    queryKey: ['practitioner', practitionerId, language],
    queryFn: () => calls.practitioner(practitionerId),
    enabled: wanted,
  });
  if (!wanted) {
    return (
      <PatientPage title={t('book.title')} action={<LinkButton to="/" wide>{t('book.find')}</LinkButton>}>
        <p>{t('book.noSlot')}</p>
      </PatientPage>
    );
  }
  if (found.isPending) {
    return (
      <PatientPage title={t('book.title')}>
        <Loading what={t('doctor.loading')} />
      </PatientPage>
    );
  }
  if (found.isError) {
    return (
      <PatientPage title={t('book.title')}>
        <Failure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />
      </PatientPage>
    );
  }
  return <Confirm practitioner={found.data} start={start} />;
}

function Confirm({ practitioner, start }: { practitioner: Practitioner; start: string }) {
  const t = useT('booking');
  const { language } = useLanguage();
  const [, go] = useLocation();
  const now = useNow();
  const zone = visitorZone();
  const queries = useQueryClient();
  const [form, setForm] = useState<BookingForm>(emptyForm);
  const [errors, setErrors] = useState<BookingErrors>({});
  const [declared, setDeclared] = useState(emptyDeclared);
  const [choosing, setChoosing] = useState(false);
  // One key per intention: the same person, the same time. Another time is another intention.
  const intention = useRef({ start, key: newIntention() });
  const formElement = useRef<HTMLFormElement>(null);
  const booking = useMutation<Booked, Problem>({
    mutationFn: () =>
      calls.book(
        {
          practitionerId: practitioner.id,
          start,
          patient: patientOf(form),
          ...declaredOf(declared),
          locale: language,
          zone,
          priceShown: { amountCents: practitioner.price?.amountCents ?? 0, reimbursedCents: practitioner.price?.reimbursedCents ?? 0 },
        },
        intention.current.key,
      ),
    onError: (cause) => {
      const problem = asProblem(cause);
      setErrors(errorsOf(problem));
      if (problem.status !== 0 && problem.status < 500) intention.current = { start, key: newIntention() };
      if (problem.code === 'slot-taken' || problem.field('start')) setChoosing(true);
      void queries.invalidateQueries({ queryKey: ['slots', practitioner.id] });
      // A price that changed in between is shown anew before anything is confirmed.
      if (problem.code === 'price-changed' || problem.field('priceShown')) void queries.invalidateQueries({ queryKey: ['practitioner', practitioner.id] });
    },
  });
  if (booking.data) return <BookedPage booked={booking.data} />;

  const when = sayDateTime(start, now, zone, language);
  const submit = () => {
    const wrong = checkForm(form, dayOf(new Date(), zone));
    setErrors(wrong);
    if (Object.keys(wrong).length > 0) {
      requestAnimationFrame(() => formElement.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    if (intention.current.start !== start) intention.current = { start, key: newIntention() };
    booking.mutate();
  };
  const pick = (next: string) => {
    setChoosing(false);
    booking.reset();
    go(`/reserver?medecin=${encodeURIComponent(practitioner.id)}&debut=${encodeURIComponent(next)}`, { replace: true });
  };
  const failure = booking.error ? asProblem(booking.error) : null;
  return (
    <PatientPage title={t('book.title')}>
      <Section>
        <p className={styles.when}>{when}</p>
        {!sameClock(zone, clinicZone, new Date(start)) && (
          <p className={styles.soft}>
            {t('book.clinicTime', { time: sayTime(start, clinicZone, language), zone: sayZone(clinicZone, new Date(start), language) })}
          </p>
        )}
        <p>{[practitioner.displayName, practitioner.specialtyLabel].filter(Boolean).join(', ')}</p>
        {!choosing && (
          <p>
            <Button look="text" onPress={() => setChoosing(true)}>
              {t('book.change')}
            </Button>
          </p>
        )}
      </Section>
      {choosing && (
        <Section title={t('book.other', { name: practitioner.displayName })} id="other">
          {failure && <Failure problem={failure} kept={t('book.kept')} />}
          <SlotPicker practitionerId={practitioner.id} onPick={(slot) => pick(slot.start)} />
        </Section>
      )}
      {practitioner.price && (
        <Section title={t('doctor.price')} id="price">
          <PriceNote price={practitioner.price} />
        </Section>
      )}
      <Section title={t('book.who')} id="who">
        <form
          ref={formElement}
          id="booking"
          className={styles.form}
          noValidate
          onSubmit={(e) => {
            e.preventDefault();
            submit();
          }}
        >
          <Fields form={form} errors={errors} onChange={setForm} />
          <DeclaredSection form={declared} onChange={setDeclared} />
          <p className={styles.soft}>{t('book.secret')}</p>
          {Object.keys(errors).length > 0 && <Alert tone="bad" title={t('book.incomplete')} live />}
          {failure && !choosing && Object.keys(errors).length === 0 && (
            <Failure problem={failure} kept={t('book.kept')} retry={submit} busy={booking.isPending} />
          )}
          <Button type="submit" wide busy={booking.isPending}>
            {t('book.confirm', { when })}
          </Button>
        </form>
      </Section>
    </PatientPage>
  );
}

const known = new Set([
  'required',
  'date',
  'in-future',
  'too-old',
  'phone',
  'email',
  'phone-or-email-needed',
  'in-past',
  'not-a-slot',
  'too-long',
]);

function Fields({ form, errors, onChange }: { form: BookingForm; errors: BookingErrors; onChange: (form: BookingForm) => void }) {
  const t = useT('booking');
  const say = (name: BookingField) => {
    const remark = errors[name];
    if (remark === undefined) return undefined;
    if (known.has(remark.code)) return t(`field.${remark.code}` as 'field.other');
    return remark.detail ?? t('field.other');
  };
  const bind = (name: BookingField) => ({
    name,
    value: form[name],
    onChange: (value: string) => onChange({ ...form, [name]: value }),
    error: say(name),
  });
  return (
    <>
      <TextField {...bind('familyName')} label={t('book.familyName')} autoComplete="family-name" isRequired maxLength={100} />
      <TextField {...bind('givenName')} label={t('book.givenName')} autoComplete="given-name" isRequired maxLength={100} />
      <DateField {...bind('birthDate')} label={t('book.birthDate')} hint={t('book.birthDateHint')} autoComplete="bday" isRequired />
      <TextField {...bind('phone')} label={t('book.phone')} hint={t('book.phoneHint')} type="tel" inputMode="tel" autoComplete="tel" maxLength={25} />
      <TextField {...bind('email')} label={t('book.email')} hint={t('book.emailHint')} type="email" inputMode="email" autoComplete="email" maxLength={254} />
    </>
  );
}
