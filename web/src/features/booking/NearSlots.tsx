/** Three free times near the one that somebody else took. */
import { useQuery } from '@tanstack/react-query';
import * as calls from '@/api/calls';
import type { Slot } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayDateTime, visitorZone } from '@/i18n/time';
import { Button } from '@/ui/Button';
import { useNow } from '@/ui/Page';
import styles from './booking.module.css';

export function NearSlots({ practitionerId, start, onPick }: { practitionerId: string; start: string; onPick: (slot: Slot) => void }) {
  const t = useT('booking');
  const { language } = useLanguage();
  const now = useNow(60_000);
  const near = useQuery({ queryKey: ['slots', practitionerId, 'near', start], queryFn: () => calls.nearSlots(practitionerId, start) });
  const items = near.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <>
      <p>{t('near.lead')}</p>
      <ul role="list" className={styles.near}>
        {items.map((slot) => (
          <li key={slot.start}>
            <Button look="secondary" wide onPress={() => onPick(slot)}>
              {sayDateTime(slot.start, now, visitorZone(), language)}
            </Button>
          </li>
        ))}
      </ul>
      <p className={styles.soft}>{t('near.others')}</p>
    </>
  );
}
