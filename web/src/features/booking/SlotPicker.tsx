/** The real free times of one professional, by day, in the visitor's own zone. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import * as calls from '@/api/calls';
import { asProblem } from '@/api/client';
import type { Slot } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { addDays, dayOf, sameClock, sayDay, sayTime, sayZone, visitorZone } from '@/i18n/time';
import { Failure } from '@/ui/Alert';
import { Button } from '@/ui/Button';
import { Lines, Loading } from '@/ui/Loading';
import { useNow } from '@/ui/Page';
import { slotDays, type SlotDay } from './slots';
import styles from './booking.module.css';

/** Days asked for at once. */
const span = 14;

export function SlotPicker({ practitionerId, onPick }: { practitionerId: string; onPick: (slot: Slot) => void }) {
  const t = useT('booking');
  const { language } = useLanguage();
  const now = useNow(60_000);
  const zone = visitorZone();
  const today = dayOf(now, zone);
  const [from, setFrom] = useState<string | null>(null);
  const first = from ?? today;
  const slots = useQuery({
    queryKey: ['slots', practitionerId, first],
    queryFn: () => calls.slots(practitionerId, first, span),
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  });
  if (slots.isPending) {
    return (
      <Loading what={t('slots.loading')}>
        <Lines count={6} />
      </Loading>
    );
  }
  if (slots.isError) return <Failure problem={asProblem(slots.error)} retry={() => void slots.refetch()} busy={slots.isFetching} />;
  const days = slotDays(slots.data.items, zone);
  const clinic = slots.data.zone;
  return (
    <div className={styles.days} aria-busy={slots.isPlaceholderData}>
      {!sameClock(zone, clinic, now) && (
        <p className={styles.soft}>{t('slots.zone', { zone: sayZone(zone, now, language), clinic: sayZone(clinic, now, language) })}</p>
      )}
      {days.length === 0 && (
        <p role="status">{t('slots.none', { from: sayDay(first, today, language), to: sayDay(addDays(first, span - 1), today, language) })}</p>
      )}
      {days.map((d, i) => (
        <Day key={d.day} day={d} open={i === 0} zone={zone} today={today} onPick={onPick} />
      ))}
      <div className={styles.turn}>
        <Button look="text" onPress={() => setFrom(addDays(first, span))}>
          {t('slots.later')}
        </Button>
        {from !== null && (
          <Button look="text" onPress={() => setFrom(null)}>
            {t('slots.earlier')}
          </Button>
        )}
      </div>
    </div>
  );
}

type DayProps = { day: SlotDay; open: boolean; zone: string; today: string; onPick: (slot: Slot) => void };

function Day({ day, open, zone, today, onPick }: DayProps) {
  const t = useT('booking');
  const { language } = useLanguage();
  const said = sayDay(day.day, today, language);
  return (
    <details className={styles.day} open={open}>
      <summary>
        <span className={styles.dayName}>{said}</span>
        <span className={styles.soft}>{t('slots.day', { count: day.count })}</span>
      </summary>
      {day.parts.map((p) => (
        <div key={p.part} className={styles.part}>
          <p className={styles.soft}>{t(`slots.${p.part}`)}</p>
          <ul role="list" className={styles.times}>
            {p.slots.map((slot) => {
              const time = sayTime(slot.start, zone, language);
              return (
                <li key={`${slot.scheduleId}${slot.start}`}>
                  <Button look="secondary" wide onPress={() => onPick(slot)} aria-label={t('slots.pick', { day: said, time })}>
                    {time}
                  </Button>
                </li>
              );
            })}
          </ul>
        </div>
      ))}
    </details>
  );
}
