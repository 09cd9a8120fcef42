import { Link } from 'wouter';
import type { DayItem } from '@/api/deskTypes';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, dayOf, sayBirthDate, sayTime, sayUntil } from '@/i18n/time';
import { Button } from '@/ui/Button';
import { State } from '@/ui/State';
import { ageOn, lateBy, minutesSince, weigh } from './day';
import { IdentityState, ConsentState } from './words';
import styles from './desk.module.css';

/** One act of the day: when, who, what stands in the way, the one thing to do. */
export function DayRow({ item, now, onReceive }: { item: DayItem; now: Date; onReceive: () => void }) {
  const t = useT('desk');
  const { language } = useLanguage();
  const { patient } = item;
  const to = `/pro/encounters/${encodeURIComponent(item.encounterId)}`;
  return (
    <li className={styles.row}>
      <span className={styles.time}>{sayTime(item.start, clinicZone, language)}</span>
      <div className={styles.person}>
        <Link href={to} className={styles.name}>
          {patient.displayName}
        </Link>
        <p className={styles.soft}>
          {patient.birthDate &&
            t('day.born', { date: sayBirthDate(patient.birthDate, language), count: ageOn(patient.birthDate, dayOf(now, clinicZone)) })}
          {patient.minor && ` ${t('day.minor')}`}
          {item.firstTime && ` ${t('day.firstTime')}`}
        </p>
      </div>
      <div className={styles.signs}>
        <Presence item={item} now={now} />
        {item.status !== 'cancelled' && item.status !== 'finished' && (
          <>
            <ConsentState state={item.consent} />
            <IdentityState status={item.identityStatus} />
          </>
        )}
      </div>
      <div className={styles.act}>
        {item.status === 'arrived' && item.host && (
          <Button onPress={onReceive} aria-label={t('day.receiveName', { name: patient.displayName })}>
            {t('day.receive')}
          </Button>
        )}
        {item.status === 'in-progress' && (
          <Button onPress={onReceive} aria-label={t(!item.host ? 'day.joinName' : 'day.rejoinName', { name: patient.displayName })}>
            {t(!item.host ? 'day.join' : 'day.rejoin')}
          </Button>
        )}
        {item.status === 'arrived' && !item.host && <span className={styles.soft}>{t('day.doctorReceives')}</span>}
      </div>
    </li>
  );
}

function Presence({ item, now }: { item: DayItem; now: Date }) {
  const t = useT('desk');
  const { language } = useLanguage();
  if (item.status === 'in-progress') return <State tone="good">{t('presence.inCall')}</State>;
  if (item.status === 'finished') return <State tone="good">{t('presence.finished')}</State>;
  if (item.status === 'cancelled') return <State tone="calm">{t('presence.cancelled')}</State>;
  if (item.status === 'arrived') {
    const minutes = minutesSince(item.waitingSince ?? item.start, now);
    return (
      <>
        <State tone={weigh(minutes)}>{minutes === 0 ? t('presence.justArrived') : t('presence.waits', { count: minutes })}</State>
        {!item.online && <State tone="warn">{t('presence.away')}</State>}
      </>
    );
  }
  const late = lateBy(item.start, now);
  if (late !== null) return <State tone="warn">{t('presence.late', { count: late })}</State>;
  const until = sayUntil(item.start, now, language);
  return <State tone="calm">{until ? t('presence.expectedIn', { until }) : t('presence.expected')}</State>;
}
