/** Who, when, what it costs; one button to go in; move, cancel and withdraw as words. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import * as calls from '@/api/calls';
import { asProblem, type Problem } from '@/api/client';
import type { Appointment, Consent } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { sameClock, sayDateTime, sayTime, sayUntil, visitorZone } from '@/i18n/time';
import { Failure } from '@/ui/Alert';
import { Button, LinkButton } from '@/ui/Button';
import { Facts, PatientPage, useNow } from '@/ui/Page';
import { Question } from './Question';
import styles from './waiting.module.css';

const ConsentProof = lazy(() => import('@/features/consent/ConsentProof').then((m) => ({ default: m.ConsentProof })));
const CompanionDialog = lazy(() => import('@/features/companion/CompanionDialog').then((m) => ({ default: m.CompanionDialog })));
const DayBefore = lazy(() => import('@/features/diagnostics/DayBefore').then((m) => ({ default: m.DayBefore })));

/** Minutes before the start from which going in is the main thing to do. */
export const soon = 60;

type Props = { appointment: Appointment; consent: Consent; minor: boolean; onEnter: () => void; onMove: () => void; onCheck: () => void };

export function AppointmentCard({ appointment: a, consent, minor, onEnter, onMove, onCheck }: Props) {
  const t = useT('join');
  const { language } = useLanguage();
  const now = useNow();
  const zone = visitorZone();
  const until = sayUntil(a.start, now, language);
  const when = sayDateTime(a.start, now, zone, language);
  const early = Date.parse(a.start) - now.getTime() > soon * 60_000;
  const enter = early ? t(minor ? 'prepareMinor' : 'prepare') : minor ? t('enterMinor') : t('enter');
  return (
    <PatientPage title={t('title')} lead={<p>{t('for', { name: a.patient.displayName })}</p>} action={<Button wide onPress={onEnter}>{enter}</Button>}>
      <div>
        <p className={styles.doctor}>{a.practitioner.displayName}</p>
        <p>{a.practitioner.specialtyLabel}</p>
      </div>
      <div>
        <p className={styles.when}>{when}</p>
        {until && <p className={styles.until}>{until}</p>}
        {!sameClock(zone, a.zone, new Date(a.start)) && <p className={styles.soft}>{t('zone', { time: sayTime(a.start, a.zone, language) })}</p>}
      </div>
      <Facts
        items={[
          { label: t('price'), value: a.priceText },
          ...(a.practitioner.organizationName ? [{ label: t('where'), value: a.practitioner.organizationName }] : []),
          ...(a.practitioner.rpps ? [{ label: t('rpps'), value: t('rppsNote', { rpps: a.practitioner.rpps }) }] : []),
        ]}
      />
      {early && <p className={styles.soft}>{t('prepareNote')}</p>}
      {early && a.encounterId && (
        <Suspense fallback={null}>
          <DayBefore encounterId={a.encounterId} />
        </Suspense>
      )}
      {consent.record && (
        <Suspense fallback={null}>
          <ConsentProof consent={consent} />
        </Suspense>
      )}
      <Changes appointment={a} consent={consent} when={when} onMove={onMove} onCheck={onCheck} />
    </PatientPage>
  );
}

function Changes({ appointment: a, consent, when, onMove, onCheck }: { appointment: Appointment; consent: Consent; when: string; onMove: () => void; onCheck: () => void }) {
  const t = useT('join');
  const queries = useQueryClient();
  const [asking, setAsking] = useState<'cancel' | 'withdraw' | 'companion' | null>(null);
  const cancelling = useMutation<Appointment, Problem>({
    mutationFn: () => calls.cancelAppointment(a.id),
    onSuccess: (changed) => queries.setQueryData(['appointment', a.id], changed),
  });
  const withdrawing = useMutation<unknown, Problem>({
    mutationFn: () => calls.withdrawConsent(a.id),
    onSuccess: () => {
      setAsking(null);
      void queries.invalidateQueries({ queryKey: ['consent', a.id] });
    },
  });
  return (
    <div className={styles.changes}>
      {a.encounterId && (
        <Button look="text" onPress={onCheck}>
          {t('check')}
        </Button>
      )}
      <LinkButton to="/documents" look="text">
        {t('documents')}
      </LinkButton>
      <Button look="text" onPress={() => setAsking('companion')}>
        {t('companion')}
      </Button>
      {asking === 'companion' && (
        <Suspense fallback={null}>
          <CompanionDialog appointmentId={a.id} onClose={() => setAsking(null)} />
        </Suspense>
      )}
      {a.canMove && (
        <Button look="text" onPress={onMove}>
          {t('move')}
        </Button>
      )}
      {consent.status === 'granted' && (
        <Button look="text" onPress={() => setAsking('withdraw')}>
          {t('withdraw')}
        </Button>
      )}
      {a.canCancel && (
        <Button look="text" onPress={() => setAsking('cancel')}>
          {t('cancel')}
        </Button>
      )}
      <Question
        title={t('cancel.title')}
        isOpen={asking === 'cancel'}
        yes={t('cancel.yes')}
        no={t('cancel.no')}
        busy={cancelling.isPending}
        onYes={() => cancelling.mutate()}
        onNo={() => setAsking(null)}
      >
        <p>{t('cancel.ask', { when, name: a.practitioner.displayName })}</p>
        {cancelling.isError && <Failure problem={asProblem(cancelling.error)} kept={t('move.kept')} />}
      </Question>
      <Question
        title={t('withdraw.title')}
        isOpen={asking === 'withdraw'}
        yes={t('withdraw.yes')}
        no={t('withdraw.no')}
        busy={withdrawing.isPending}
        onYes={() => withdrawing.mutate()}
        onNo={() => setAsking(null)}
      >
        <p>{t('withdraw.ask')}</p>
        {withdrawing.isError && <Failure problem={asProblem(withdrawing.error)} />}
      </Question>
    </div>
  );
}
