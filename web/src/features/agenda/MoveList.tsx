import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import * as calls from '@/api/calls';
import { asProblem } from '@/api/client';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { useLanguage, useT } from '@/i18n/i18n';
import { addDays, dayOf, sayFullDay, sayTime } from '@/i18n/time';
import { Button } from '@/ui/Button';
import { Lines, Loading } from '@/ui/Loading';
import { useNow } from '@/ui/Page';
import styles from './agenda.module.css';

type Props = { practitionerId: string; zone: string; busy: string | undefined; onChoose: (start: string) => void; onBack: () => void };

/** Free times of the same practitioner, a week at a time. */
export function MoveList({ practitionerId, zone, busy, onChoose, onBack }: Props) {
  const t = useT('agenda');
  const { language } = useLanguage();
  const now = useNow();
  const [week, setWeek] = useState(0);
  const from = addDays(dayOf(now, zone), week * 7);
  const found = useQuery({ queryKey: ['slots', practitionerId, from], queryFn: () => calls.slots(practitionerId, from, 7), staleTime: 0 });
  const days = [...new Set((found.data?.items ?? []).map((s) => dayOf(s.start, zone)))];
  return (
    <section className={styles.move} aria-labelledby="move-title">
      <h3 id="move-title">{t('move.title')}</h3>
      {found.isPending && (
        <Loading what={t('move.loading')}>
          <Lines count={3} />
        </Loading>
      )}
      {found.isError && <DeskFailure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />}
      {found.data && days.length === 0 && <p>{t('move.none')}</p>}
      {days.map((day) => (
        <div key={day}>
          <p className={styles.soft}>{sayFullDay(day, language)}</p>
          <ul role="list" className={styles.slots}>
            {found.data!.items
              .filter((s) => dayOf(s.start, zone) === day)
              .map((s) => (
                <li key={s.start}>
                  <Button look="secondary" onPress={() => onChoose(s.start)} busy={busy === s.start} aria-label={`${sayFullDay(day, language)} ${sayTime(s.start, zone, language)}`}>
                    {sayTime(s.start, zone, language)}
                  </Button>
                </li>
              ))}
          </ul>
        </div>
      ))}
      <div className={styles.buttons}>
        <Button look="text" onPress={() => setWeek(week + 1)}>
          {t('move.later')}
        </Button>
        <Button look="text" onPress={onBack}>
          {t('move.back')}
        </Button>
      </div>
    </section>
  );
}
