import type { Booked } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayDateTime, visitorZone } from '@/i18n/time';
import { Alert } from '@/ui/Alert';
import { LinkButton } from '@/ui/Button';
import { PatientPage, Section, useNow } from '@/ui/Page';
import styles from './booking.module.css';

/** It is booked: when, with whom, where the link went, what comes next. */
export function BookedPage({ booked }: { booked: Booked }) {
  const t = useT('booking');
  const { language } = useLanguage();
  const now = useNow();
  const { sms, email } = booked.sentTo;
  let sent = t('done.sentNone');
  if (sms && email) sent = t('done.sentBoth', { sms, email });
  else if (sms) sent = t('done.sentSms', { sms });
  else if (email) sent = t('done.sentEmail', { email });
  return (
    <PatientPage title={t('done.title')}>
      <Section>
        <p className={styles.when}>{t('done.when', { when: sayDateTime(booked.start, now, visitorZone(), language) })}</p>
        <p>{t('book.with', { name: booked.practitioner.displayName })}</p>
      </Section>
      <Alert tone="good" live>
        <p>{sent}</p>
      </Alert>
      <Section title={t('done.next')} id="next">
        <ol className={styles.steps}>
          <li>{t('done.step1')}</li>
          <li>{t('done.step2')}</li>
          <li>{t('done.step3')}</li>
        </ol>
        <p>
          <LinkButton to="/lien" look="text">
            {t('done.lost')}
          </LinkButton>
        </p>
      </Section>
    </PatientPage>
  );
}
