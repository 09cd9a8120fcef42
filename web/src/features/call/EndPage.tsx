/** After the call: how it ended, what comes, what is to be paid, when to worry. */
import type { CallSnapshot } from '@rtc/api';
import { useState, type ReactNode } from 'react';
import type { Appointment } from '@/api/types';
import { useT } from '@/i18n/i18n';
import { sayDuration } from '@/i18n/time';
import { Button, LinkButton } from '@/ui/Button';
import { PatientPage, Section } from '@/ui/Page';

type Props = {
  snapshot: CallSnapshot;
  onBack: () => void;
  /** Absent for who has no card to go back to. */
  onCard?: () => void;
  /** The act is over. */
  children: ReactNode;
};

export function EndPage({ snapshot, onBack, onCard, children }: Props) {
  const t = useT('call');
  switch (snapshot.cause) {
    case 'left':
      return (
        <PatientPage title={t('left.title')} action={<Button wide onPress={onBack}>{t('left.back')}</Button>}>
          <p>{t('left.text')}</p>
        </PatientPage>
      );
    case 'removed':
      return (
        <PatientPage title={t('removed.title')}>
          <p>{t('removed.text')}</p>
        </PatientPage>
      );
    case 'cancelled':
    case 'expired':
      return (
        <PatientPage title={t(`${snapshot.cause}.title`)} action={onCard && <Button look="secondary" wide onPress={onCard}>{t('end.see')}</Button>}>
          <p>{t(`${snapshot.cause}.text`)}</p>
        </PatientPage>
      );
    default:
      return children;
  }
}

/** What a patient is told when the act is over. */
export function Ended({ snapshot, appointment }: { snapshot: CallSnapshot; appointment: Appointment }) {
  const t = useT('call');
  const [endedAt] = useState(Date.now);
  const name = appointment.practitioner.displayName;
  const seconds = snapshot.startedAt ? (endedAt - Date.parse(snapshot.startedAt)) / 1000 : 0;
  return (
    <PatientPage title={t('end.title')} action={<LinkButton to="/documents" wide>{t('end.see')}</LinkButton>}>
      <p>{seconds > 0 ? t('end.lasted', { duration: sayDuration(seconds), name }) : t('end.withWhom', { name })}</p>
      <Section title={t('end.documents')} id="end-documents">
        <p>{t('end.documentsText')}</p>
      </Section>
      <Section title={t('end.pay')} id="end-pay">
        <p>{t('end.payValue', { price: appointment.priceText })}</p>
      </Section>
      <p>{t('end.worse')}</p>
    </PatientPage>
  );
}
