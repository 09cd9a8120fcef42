/** What the patient agreed to; the professional attests an oral consent, in one tap for an adult (product A6). */
import { useQuery } from '@tanstack/react-query';
import * as calls from '@/api/calls';
import type { Encounter } from '@/api/deskTypes';
import type { ConsentRecord } from '@/api/types';
import { ConsentPapers } from '@/features/consent/ConsentProof';
import { ConsentState } from '@/features/desk/words';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, sayDateTime } from '@/i18n/time';
import { useNow } from '@/ui/Page';
import { closed } from './act';
import { Attest } from './Attest';
import { Emergency } from './Emergency';
import styles from './encounter.module.css';

export function ConsentBand({ encounter }: { encounter: Encounter }) {
  const t = useT('encounter');
  const record = useQuery({
    queryKey: ['consent', encounter.appointmentId, encounter.consent],
    queryFn: () => calls.consent(encounter.appointmentId),
    enabled: encounter.consent !== 'none',
    staleTime: 60_000,
  });
  const open = encounter.consent !== 'granted' && encounter.host && !closed(encounter);
  return (
    <section className={styles.band} aria-label={t('consent.name')}>
      <p className={styles.line}>
        <ConsentState state={encounter.consent} />
        {record.data?.record && <How record={record.data.record} />}
      </p>
      {record.data && <ConsentPapers consent={record.data} />}
      {open && <Attest encounter={encounter} />}
      {open && <Emergency encounter={encounter} />}
    </section>
  );
}

function How({ record }: { record: ConsentRecord }) {
  const t = useT('encounter');
  const { language } = useLanguage();
  const now = useNow();
  return (
    <span className={styles.soft}>
      {t(`consent.by.${record.channel}`, { when: sayDateTime(record.at, now, clinicZone, language), version: record.version })}
      {record.ground && <> {t(`consent.by.${record.ground}`)}</>}
    </span>
  );
}
