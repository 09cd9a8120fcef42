/** What the patient agreed to; the professional attests an oral consent in one tap (product A6). */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import * as calls from '@/api/calls';
import { asProblem, newIntention } from '@/api/client';
import * as desk from '@/api/desk';
import type { Encounter } from '@/api/deskTypes';
import type { ConsentRecord } from '@/api/types';
import { ConsentPapers } from '@/features/consent/ConsentProof';
import { useInView } from '@/features/consent/inView';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { ConsentState } from '@/features/desk/words';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, sayDateTime } from '@/i18n/time';
import { Button } from '@/ui/Button';
import { useNow } from '@/ui/Page';
import { closed } from './act';
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
    </span>
  );
}

function Attest({ encounter }: { encounter: Encounter }) {
  const t = useT('encounter');
  const { language } = useLanguage();
  const client = useQueryClient();
  const [reading, setReading] = useState(false);
  const inView = useInView();
  const [intention] = useState(newIntention);
  const text = useQuery({ queryKey: ['consent-text', language], queryFn: () => calls.consentText(language), staleTime: 3_600_000 });
  const attest = useMutation({
    mutationFn: () => desk.attestConsent(encounter.appointmentId, text.data!, { page: 'encounter', control: 'attest', seconds: inView() }, intention),
    onSuccess: () => client.invalidateQueries({ queryKey: ['encounter', encounter.id] }),
  });
  return (
    <>
      <div className={styles.ask}>
        <p>{t(encounter.consent === 'none' ? 'consent.ask' : 'consent.askAgain')}</p>
        <div className={styles.buttons}>
          <Button look="secondary" onPress={() => attest.mutate()} isDisabled={!text.data} busy={attest.isPending}>
            {t('consent.attest')}
          </Button>
          <Button look="text" onPress={() => setReading(!reading)} aria-expanded={reading}>
            {t(reading ? 'consent.hide' : 'consent.read')}
          </Button>
        </div>
      </div>
      {reading && text.data && <div className={styles.text} tabIndex={0} role="region" aria-label={t('consent.text')} dangerouslySetInnerHTML={{ __html: text.data.html }} />}
      {text.isError && <DeskFailure problem={asProblem(text.error)} retry={() => void text.refetch()} busy={text.isFetching} />}
      {attest.isError && <DeskFailure problem={asProblem(attest.error)} retry={() => attest.mutate()} busy={attest.isPending} />}
    </>
  );
}
