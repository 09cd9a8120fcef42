/** Confirm a time in five fields, the price in view, then a code; then say where the link was sent. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useLocation, useSearch } from 'wouter';
import * as calls from '@/api/calls';
import { asProblem } from '@/api/client';
import type { Practitioner, Slot } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, dayOf, sameClock, sayDateTime, sayTime, sayZone, visitorZone } from '@/i18n/time';
import { Alert, Failure } from '@/ui/Alert';
import { Button, LinkButton } from '@/ui/Button';
import { readDate } from '@/ui/date';
import { DateField, TextField } from '@/ui/Field';
import { Loading } from '@/ui/Loading';
import { PatientPage, Section, useNow } from '@/ui/Page';
import { BookedPage } from './BookedPage';
import { CallUs, CodeStep } from './CodeStep';
import { DeclaredSection } from './DeclaredSection';
import type { BookingErrors, BookingField, BookingForm } from './form';
import { NearSlots } from './NearSlots';
import { PriceNote } from './PriceNote';
import { SlotPicker } from './SlotPicker';
import { useBooking, type BookingFlow } from './useBooking';
import styles from './booking.module.css';

export default function BookPage() {
  const t = useT('booking');
  const { language } = useLanguage();
  const search = new URLSearchParams(useSearch());
  const practitionerId = search.get('medecin') ?? '';
  const start = search.get('debut') ?? '';
  const wanted = practitionerId !== '' && !Number.isNaN(Date.parse(start));
  const found = useQuery({
    queryKey: ['practitioner', practitionerId, language, start],
    queryFn: () => calls.practitioner(practitionerId, start),
    enabled: wanted,
    // Another time of the same person: what was typed stays on the page.
    placeholderData: (before) => (before?.id === practitionerId ? before : undefined),
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
  const [choosing, setChoosing] = useState(false);
  const flow = useBooking(practitioner, start, () => setChoosing(true));
  if (flow.booked) return <BookedPage booked={flow.booked} />;

  const when = sayDateTime(start, now, zone, language);
  const pick = (slot: Slot) => {
    setChoosing(false);
    flow.forget();
    go(`/reserver?medecin=${encodeURIComponent(practitioner.id)}&debut=${encodeURIComponent(slot.start)}`, { replace: true });
  };
  const { failure } = flow;
  // Somebody else has the time, or it is no longer offered: it is neither shown nor confirmed any more.
  const lost = choosing && failure !== null && (failure.code === 'slot-taken' || failure.field('start') !== undefined);
  return (
    <PatientPage title={t('book.title')}>
      <Section>
        {!lost && <p className={styles.when}>{when}</p>}
        {!lost && !sameClock(zone, clinicZone, new Date(start)) && (
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
          {failure && (
            <InView>
              <Failure problem={failure} kept={t('book.kept')} />
              <NearSlots practitionerId={practitioner.id} start={start} onPick={pick} />
            </InView>
          )}
          <SlotPicker practitionerId={practitioner.id} onPick={pick} />
        </Section>
      )}
      <Section title={t('doctor.price')} id="price">
        <PriceNote price={practitioner.price} born={readDate(flow.form.birthDate)} start={start} />
      </Section>
      {lost && flow.proof ? null : flow.proof ? (
        <Section title={t('code.title')} id="code">
          <CodeStep
            proof={flow.proof}
            when={when}
            other={flow.other}
            problem={choosing ? null : failure}
            busy={flow.busy}
            resent={flow.resent}
            phone={practitioner.phone}
            onCode={flow.confirm}
            onAgain={flow.again}
            onCorrect={flow.correct}
          />
        </Section>
      ) : (
        <Section title={t('book.who')} id="who">
          <WhoForm flow={flow} today={dayOf(new Date(), zone)} quiet={choosing} phone={practitioner.phone} />
        </Section>
      )}
    </PatientPage>
  );
}

/** What has just been refused far below: its section comes to the top of the view, and it has the focus. */
function InView({ children }: { children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.closest('section')?.scrollIntoView({ block: 'start' });
    box.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div ref={box} tabIndex={-1} role="group" aria-labelledby="other" className={styles.form}>
      {children}
    </div>
  );
}

/** The five fields: who comes, and where the code goes. */
function WhoForm({ flow, today, quiet, phone }: { flow: BookingFlow; today: string; quiet: boolean; phone: string | undefined }) {
  const t = useT('booking');
  const formElement = useRef<HTMLFormElement>(null);
  const { form, errors, failure } = flow;
  const submit = () => {
    if (!flow.check(today)) {
      requestAnimationFrame(() => formElement.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    flow.ask();
  };
  return (
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
      <Fields form={form} errors={errors} onChange={flow.setForm} />
      <DeclaredSection form={flow.declared} onChange={flow.setDeclared} asked={flow.tried} />
      <p className={styles.soft}>{t('book.secret')}</p>
      <p className={styles.soft}>{t('book.codeComes')}</p>
      {Object.keys(errors).length > 0 && <Alert tone="bad" title={t('book.incomplete')} live />}
      {failure && !quiet && Object.keys(errors).length === 0 && (
        <>
          <Failure problem={failure} kept={t('book.kept')} {...(failure.code === 'codes-not-sent' ? {} : { retry: submit })} busy={flow.busy} />
          {failure.status === 429 && flow.other && (
            <Button look="secondary" wide onPress={() => flow.again(flow.other ?? 'email')}>
              {t(flow.other === 'sms' ? 'code.bySms' : 'code.byEmail')}
            </Button>
          )}
          {(failure.status === 429 || failure.code === 'codes-not-sent') && <CallUs phone={phone} />}
        </>
      )}
      <Button type="submit" wide busy={flow.busy}>
        {t('book.continue')}
      </Button>
    </form>
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
  'mobile-or-email-needed',
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
      <TextField {...bind('phone')} label={t('book.phone')} hint={t('book.phoneHint')} type="tel" inputMode="tel" autoComplete="tel" maxLength={40} />
      <TextField {...bind('email')} label={t('book.email')} hint={t('book.emailHint')} type="email" inputMode="email" autoComplete="email" maxLength={254} />
    </>
  );
}
