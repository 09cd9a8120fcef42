/** Home: find a doctor by specialty or name, with the next free time and what remains to pay. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useDeferredValue, useState } from 'react';
import { Link } from 'wouter';
import * as calls from '@/api/calls';
import { asProblem } from '@/api/client';
import type { Practitioner, Price } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayDateTime, visitorZone } from '@/i18n/time';
import { Failure } from '@/ui/Alert';
import { Select, TextField } from '@/ui/Field';
import { Lines, Loading } from '@/ui/Loading';
import { PatientPage, useNow } from '@/ui/Page';
import styles from './booking.module.css';

export default function FindPage() {
  const t = useT('booking');
  const { language } = useLanguage();
  const [specialty, setSpecialty] = useState('');
  const [name, setName] = useState('');
  const q = useDeferredValue(name.trim());
  const list = useQuery({ queryKey: ['specialties', language], queryFn: calls.specialties, staleTime: 3_600_000 });
  const found = useQuery({
    queryKey: ['practitioners', language, specialty, q],
    queryFn: () => calls.practitioners({ specialty, q }),
    placeholderData: keepPreviousData,
  });
  const options = [{ value: '', label: t('find.anySpecialty') }, ...(list.data?.items ?? []).map((s) => ({ value: s.code, label: s.label }))];
  const items = found.data?.items;
  return (
    <PatientPage title={t('find.title')} lead={<p>{t('find.lead')}</p>}>
      <form role="search" className={styles.form} onSubmit={(e) => e.preventDefault()}>
        <Select label={t('find.specialty')} name="specialty" value={specialty} onChange={setSpecialty} options={options} />
        <TextField label={t('find.name')} name="q" type="search" value={name} onChange={setName} autoComplete="off" />
      </form>
      {found.isPending && (
        <Loading what={t('find.loading')}>
          <Lines count={4} tall />
        </Loading>
      )}
      {found.isError && <Failure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />}
      {items && (
        <section aria-busy={found.isPlaceholderData}>
          <p role="status" className={styles.count}>
            {items.length === 0 ? t('find.none') : t('find.results', { count: items.length })}
          </p>
          {items.length === 0 ? <p>{t('find.noneNow')}</p> : <Results items={items} />}
        </section>
      )}
    </PatientPage>
  );
}

function Results({ items }: { items: Practitioner[] }) {
  const t = useT('booking');
  const { language } = useLanguage();
  const now = useNow();
  return (
    <ul role="list" className={styles.results}>
      {items.map((p) => (
        <li key={p.id}>
          <Link href={`/medecins/${encodeURIComponent(p.id)}`} className={styles.result} aria-label={t('find.see', { name: p.displayName })}>
            <span className={styles.name}>{p.displayName}</span>
            <span>{[p.specialtyLabel, p.city].filter(Boolean).join(', ')}</span>
            <span className={p.nextSlot ? styles.next : styles.soft}>
              {p.nextSlot ? t('find.next', { when: sayDateTime(p.nextSlot.start, now, visitorZone(), language) }) : t('find.noSlot')}
            </span>
            <span className={styles.soft}>{sayPrice(t, p.price)}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

/** The price of an adult, said to be so where it depends on the age. */
function sayPrice(t: ReturnType<typeof useT<'booking'>>, price: Price | undefined): string {
  if (!price) return t('price.unknown');
  return price.young ? t('price.adult', { price: price.headline }) : price.headline;
}
