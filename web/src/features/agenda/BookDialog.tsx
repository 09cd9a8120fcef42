/** Booking for somebody on the phone: a known patient in one field, a new one in five at most. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import * as calls from '@/api/calls';
import { asProblem, newIntention, type Problem } from '@/api/client';
import * as desk from '@/api/desk';
import type { AgendaPractitioner, PatientFound } from '@/api/deskTypes';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { PatientSearch } from '@/features/patients/PatientSearch';
import { priceOf, shownOf, type PriceOf } from '@/features/booking/price';
import { useLanguage, useT, type Language } from '@/i18n/i18n';
import { sayBirthDate, sayDateTime, sayMoney } from '@/i18n/time';
import { Button } from '@/ui/Button';
import { readDate } from '@/ui/date';
import { Dialog } from '@/ui/Dialog';
import { DateField, TextField } from '@/ui/Field';
import { useNow } from '@/ui/Page';
import { State } from '@/ui/State';
import { check, type Missing, type NewPatient } from './agenda';
import styles from './agenda.module.css';

type Props = { practitioner: AgendaPractitioner; slot: { start: string; end: string }; zone: string; onClose: () => void };
type Who = { known: PatientFound } | { fresh: NewPatient } | null;

export function BookDialog({ practitioner, slot, zone, onClose }: Props) {
  const t = useT('agenda');
  const { language } = useLanguage();
  const now = useNow();
  const client = useQueryClient();
  const [who, setWho] = useState<Who>(null);
  const [missing, setMissing] = useState<Missing>({});
  const form = useRef<HTMLFormElement>(null);
  const [intention, setIntention] = useState(newIntention);
  const price = useQuery({ queryKey: ['practitioner', practitioner.id, language, slot.start], queryFn: () => calls.practitioner(practitioner.id, slot.start), staleTime: 300_000 });
  const mine = priceOf(price.data?.price, bornOf(who), slot.start);
  const book = useMutation({
    mutationFn: () => desk.bookFor({ ...whoToBook(who), practitionerId: practitioner.id, start: slot.start, locale: language, zone, ...shownOf(mine) }, intention),
    onError: (cause) => {
      // Refused: the next try is another request. Not answered: the same one is asked again.
      if (asProblem(cause).status >= 400 && asProblem(cause).status < 500) setIntention(newIntention());
      // A price that changed in between is read again before anything is confirmed.
      if (asProblem(cause).code === 'price-changed') void client.invalidateQueries({ queryKey: ['practitioner', practitioner.id] });
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['agenda'] }),
  });
  const problem = book.error ? asProblem(book.error) : undefined;
  // The first field to correct has the focus.
  useEffect(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(), [missing, book.error]);
  const submit = () => {
    const found = who && 'fresh' in who ? check(who.fresh, readDate(who.fresh.birthDate)) : {};
    setMissing(found);
    if (Object.keys(found).length === 0) book.mutate();
  };
  const when = sayDateTime(slot.start, now, zone, language);
  if (book.isSuccess) {
    return (
      <Dialog title={t('book.done')} isOpen onClose={onClose}>
        <State tone="good">{t('book.doneAt', { when, name: practitioner.displayName })}</State>
        <p>{sentWords(t, book.data.sentTo)}</p>
        <div>
          <Button onPress={onClose} autoFocus>
            {t('close')}
          </Button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={t('book.title', { when })} isOpen onClose={onClose} isDismissable={who === null}>
      <p className={styles.soft}>
        {practitioner.displayName}
        {price.data && ` · ${sayPrice(t, mine, language)}`}
      </p>
      <form
        ref={form}
        className={styles.form}
        onSubmit={(e) => {
          e.preventDefault();
          submit();
        }}
      >
        {who === null && (
          <>
            <PatientSearch onChoose={(known) => setWho({ known })} autoFocus />
            <div>
              <Button look="text" onPress={() => setWho({ fresh: { familyName: '', givenName: '', birthDate: '', phone: '', email: '' } })}>
                {t('book.new')}
              </Button>
            </div>
          </>
        )}
        {who && 'known' in who && <Known patient={who.known} onOther={() => setWho(null)} />}
        {who && 'fresh' in who && <Fresh value={who.fresh} missing={missing} problem={problem} onChange={(fresh) => setWho({ fresh })} />}
        {problem && problem.status !== 422 && <DeskFailure problem={problem} kept={t('book.kept')} />}
        {problem?.status === 422 && who && 'known' in who && <DeskFailure problem={problem} />}
        {who && (
          <div className={styles.buttons}>
            <Button type="submit" autoFocus={'known' in who} busy={book.isPending} isDisabled={!price.data}>
              {t('book.confirm')}
            </Button>
            <Button look="text" onPress={onClose}>
              {t('cancel')}
            </Button>
          </div>
        )}
        {price.isError && <DeskFailure problem={asProblem(price.error)} retry={() => void price.refetch()} busy={price.isFetching} />}
      </form>
    </Dialog>
  );
}

function whoToBook(who: Who) {
  if (who && 'known' in who) return { patientId: who.known.id };
  const { familyName, givenName, birthDate, phone, email } = (who as { fresh: NewPatient }).fresh;
  return {
    patient: {
      familyName: familyName.trim(),
      givenName: givenName.trim(),
      birthDate: readDate(birthDate) ?? '',
      ...(phone.trim() ? { phone: phone.trim() } : {}),
      ...(email.trim() ? { email: email.trim() } : {}),
    },
  };
}

/** YYYY-MM-DD of the patient chosen or typed; null when it is not known. */
function bornOf(who: Who): string | null {
  if (who === null) return null;
  return 'known' in who ? who.known.birthDate || null : readDate(who.fresh.birthDate);
}

function sayPrice(t: ReturnType<typeof useT<'agenda'>>, price: PriceOf | null, language: Language): string {
  if (price === null) return t('book.priceUnknown');
  const sums = { amount: sayMoney(price.amountCents, language), remaining: sayMoney(price.remainingCents, language) };
  return price.adult ? t('book.priceAdult', sums) : t('book.price', sums);
}

export function sentWords(t: ReturnType<typeof useT<'agenda'>>, to: { email?: string; sms?: string } | undefined): string {
  if (to?.sms && to.email) return t('sent.both', { sms: to.sms, email: to.email });
  if (to?.sms) return t('sent.sms', { sms: to.sms });
  if (to?.email) return t('sent.email', { email: to.email });
  return t('sent.none');
}

function Known({ patient, onOther }: { patient: PatientFound; onOther: () => void }) {
  const t = useT('agenda');
  const { language } = useLanguage();
  return (
    <div className={styles.known}>
      <div>
        <p className={styles.strong}>{patient.displayName}</p>
        <p className={styles.soft}>{[sayBirthDate(patient.birthDate, language), patient.phoneHint, patient.emailHint].filter(Boolean).join(' · ')}</p>
      </div>
      <Button look="text" onPress={onOther}>
        {t('book.other')}
      </Button>
    </div>
  );
}

type FreshProps = { value: NewPatient; missing: Missing; problem: Problem | undefined; onChange: (value: NewPatient) => void };

function Fresh({ value, missing, problem, onChange }: FreshProps) {
  const t = useT('agenda');
  const field = (name: keyof NewPatient) => {
    const local = missing[name];
    const remote = problem?.status === 422 ? problem.field(name) : undefined;
    return {
      name,
      label: t(`field.${name}`),
      value: value[name],
      onChange: (text: string) => onChange({ ...value, [name]: text }),
      error: local ? t(`missing.${local}`) : remote && (remote.detail || remote.code),
      autoComplete: 'off',
    };
  };
  const contact = problem?.status === 422 ? (problem.field('contact') ?? problem.field('start')) : undefined;
  return (
    <>
      <TextField {...field('familyName')} autoFocus />
      <TextField {...field('givenName')} />
      <DateField {...field('birthDate')} hint={t('hint.birthDate')} />
      <TextField {...field('phone')} type="tel" hint={t('hint.contact')} />
      <TextField {...field('email')} type="email" />
      {contact && <p className={styles.error}>{contact.detail || contact.code}</p>}
    </>
  );
}
