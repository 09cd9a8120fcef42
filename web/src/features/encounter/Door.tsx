import type { Seat } from '@rtc/api';
import { useT } from '@/i18n/i18n';
import { minutesSince } from '@/features/desk/day';
import { Button } from '@/ui/Button';
import { role } from './traits';
import { letIn, type DeskCall } from './useDeskCall';
import styles from './stage.module.css';

/** Who waits, since when, and one button to let them in. */
export function Door({ desk, waiting, now }: { desk: DeskCall; waiting: Seat[]; now: Date }) {
  const t = useT('encounter');
  return (
    <ul role="list" className={styles.door}>
      {waiting.map((s) => {
        const minutes = minutesSince(s.since, now);
        return (
          <li key={s.seat} className={styles.knock}>
            <div>
              <p className={styles.knockName}>{t('stage.person', { name: s.name, role: role(t, s.role) })}</p>
              <p className={styles.soft}>
                {minutes === 0 ? t('door.now') : t('door.since', { count: minutes })}
                {!s.online && ` ${t('door.away')}`}
                {s.again && ` ${t('door.again')}`}
              </p>
            </div>
            <Button onPress={() => letIn(desk.call, [s.seat])} aria-label={t('door.admitName', { name: s.name })}>
              {t('door.admit')}
            </Button>
          </li>
        );
      })}
    </ul>
  );
}
