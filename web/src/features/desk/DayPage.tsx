/** The day of a doctor or a nurse: who waits and since when, then who comes, then what is done. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useLocation } from 'wouter';
import { asProblem } from '@/api/client';
import * as desk from '@/api/desk';
import type { DayItem } from '@/api/deskTypes';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, dayOf, sayFullDay } from '@/i18n/time';
import { useAnnounce } from '@/ui/Announcer';
import { Lines, Loading } from '@/ui/Loading';
import { Section, useNow } from '@/ui/Page';
import { arrange, arrivals } from './day';
import { DayRow } from './DayRow';
import { Desk } from './Desk';
import { DeskFailure } from './DeskFailure';
import { Stale } from './Stale';
import styles from './desk.module.css';

/** Milliseconds between two readings of the waiting room. */
const poll = 3_000;

export default function DayPage() {
  const t = useT('desk');
  const { language } = useLanguage();
  const now = useNow(10_000);
  const found = useQuery({ queryKey: ['day'], queryFn: () => desk.day(), refetchInterval: poll, staleTime: 0 });
  useArrivals(found.data?.items);
  const title = t('day.title');
  return (
    <Desk title={title}>
      <p className={styles.date}>{sayFullDay(dayOf(now, clinicZone), language)}</p>
      {found.isPending && (
        <Loading what={t('day.loading')}>
          <Lines count={5} tall />
        </Loading>
      )}
      {found.isError && !found.data && (
        <DeskFailure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />
      )}
      {found.isError && found.data && <Stale since={found.dataUpdatedAt} problem={asProblem(found.error)} />}
      {found.data && <Lists items={found.data.items} now={now} />}
    </Desk>
  );
}

function Lists({ items, now }: { items: readonly DayItem[]; now: Date }) {
  const t = useT('desk');
  const [, go] = useLocation();
  const day = arrange(items);
  const receive = (item: DayItem) => go(`/pro/encounters/${encodeURIComponent(item.encounterId)}`, { state: { receive: item.patient.id } });
  const row = (item: DayItem) => <DayRow key={item.encounterId} item={item} now={now} onReceive={() => receive(item)} />;
  if (items.length === 0) {
    return (
      <div className={styles.nothing}>
        <p className={styles.nothingTitle}>{t('day.none')}</p>
        <p>{t('day.noneNow')}</p>
      </div>
    );
  }
  return (
    <>
      {day.current.length > 0 && (
        <Section id="current" title={t('day.current')}>
          <ul role="list" className={styles.rows}>
            {day.current.map(row)}
          </ul>
        </Section>
      )}
      <Section id="waiting" title={t('day.waiting', { count: day.waiting.length })}>
        {day.waiting.length === 0 ? <p className={styles.soft}>{t('day.nobodyWaits')}</p> : <ul role="list" className={styles.rows}>{day.waiting.map(row)}</ul>}
      </Section>
      {day.next.length > 0 && (
        <Section id="next" title={t('day.next')}>
          <ul role="list" className={styles.rows}>
            {day.next.map(row)}
          </ul>
        </Section>
      )}
      {day.past.length > 0 && (
        <Section id="past" title={t('day.past')}>
          <ul role="list" className={styles.rows}>
            {day.past.map(row)}
          </ul>
        </Section>
      )}
    </>
  );
}

/** Somebody came in: said once to those who do not look at the list. */
function useArrivals(items: readonly DayItem[] | undefined) {
  const t = useT('desk');
  const announce = useAnnounce();
  const before = useRef<readonly DayItem[] | undefined>(undefined);
  useEffect(() => {
    if (!items) return;
    if (before.current) for (const i of arrivals(before.current, items)) announce(t('day.arrived', { name: i.patient.displayName }));
    before.current = items;
  });
}
