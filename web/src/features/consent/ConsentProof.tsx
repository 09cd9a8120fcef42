/** What the patient keeps of their answer: what was said, how it is proven, the receipt and the proof file. */
import { useQuery } from '@tanstack/react-query';
import * as calls from '@/api/calls';
import { asProblem } from '@/api/client';
import type { Consent, ConsentStamp } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, sayDateTime, visitorZone } from '@/i18n/time';
import { Failure } from '@/ui/Alert';
import { Lines, Loading } from '@/ui/Loading';
import { Section, useNow } from '@/ui/Page';
import styles from './consent.module.css';

/** The answer of one appointment, with its papers; nothing when there is no answer. */
export function ConsentProof({ consent }: { consent: Consent }) {
  const t = useT('proof');
  const { language } = useLanguage();
  const now = useNow();
  const { record, status } = consent;
  if (!record || status === 'none') return null;
  return (
    <div className={styles.proof}>
      <p className={styles.soft}>
        {t(status, { when: sayDateTime(record.at, now, visitorZone(), language) })} <Stamp stamp={record.stamp} zone={visitorZone()} />
      </p>
      <Papers id={record.id} />
    </div>
  );
}

/** The same for the professional, in one line. */
export function ConsentPapers({ consent }: { consent: Consent }) {
  if (!consent.record) return null;
  return (
    <span className={styles.soft}>
      <Stamp stamp={consent.record.stamp} zone={clinicZone} /> <Papers id={consent.record.id} />
    </span>
  );
}

/** A section of the patient's documents: the answer about the appointment the link opens. */
export function MyConsent({ appointmentId }: { appointmentId: string }) {
  const t = useT('proof');
  const consent = useQuery({ queryKey: ['consent', appointmentId], queryFn: () => calls.consent(appointmentId) });
  return (
    <Section title={t('title')} id="consent">
      {consent.isPending && (
        <Loading what={t('loading')}>
          <Lines count={2} />
        </Loading>
      )}
      {consent.isError && <Failure problem={asProblem(consent.error)} retry={() => void consent.refetch()} busy={consent.isFetching} />}
      {consent.data && (consent.data.record ? <ConsentProof consent={consent.data} /> : <p>{t('none')}</p>)}
    </Section>
  );
}

export function Stamp({ stamp, zone }: { stamp: ConsentStamp | undefined; zone: string }) {
  const t = useT('proof');
  const { language } = useLanguage();
  const now = useNow();
  if (!stamp) return null; // the answer to a decision does not tell it yet
  return <>{t(`stamp.${stamp.state}`, { when: stamp.at ? sayDateTime(stamp.at, now, zone, language) : '' })}</>;
}

function Papers({ id }: { id: string }) {
  const t = useT('proof');
  const { language } = useLanguage();
  return (
    <span className={styles.papers}>
      <a className={styles.download} href={calls.consentReceipt(id, language)} target="_blank" rel="noreferrer">
        {t('receipt')}
      </a>
      <a className={styles.file} href={calls.consentProof(id)} download>
        {t('evidence')}
      </a>
    </span>
  );
}
