/** One appointment seen by its patient: card, consent, room, or what is left when it is over. */
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import * as calls from '@/api/calls';
import { asProblem } from '@/api/client';
import type { Appointment, Consent, Me } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayDateTime, visitorZone } from '@/i18n/time';
import { ConsentStep } from '@/features/consent/ConsentStep';
import { Failure } from '@/ui/Alert';
import { LinkButton } from '@/ui/Button';
import { Lines, Loading } from '@/ui/Loading';
import { PatientPage, useNow } from '@/ui/Page';
import { AppointmentCard } from './AppointmentCard';
import { useStep } from './useStep';

// The room brings the media engine; the card shows before it is loaded.
const Room = lazy(() => import('./Room'));
const CheckPage = lazy(() => import('@/features/diagnostics/CheckPage'));
const MovePage = lazy(() => import('./MovePage'));

/** How often the appointment is read again while the card is in view, in milliseconds. */
const refresh = 15_000;

/** The time stamp of an answer comes later; nobody has to ask for it. */
const unstamped = (consent: Consent | undefined) =>
  consent?.record !== undefined && consent.record.stamp?.state !== 'stamped' && consent.record.stamp?.state !== 'off';

export function Visit({ me, appointmentId, link }: { me: Me; appointmentId: string; link: string | null }) {
  const t = useT('join');
  const [asked, go] = useStep();
  const appointment = useQuery({
    queryKey: ['appointment', appointmentId],
    queryFn: () => calls.appointment(appointmentId),
    refetchInterval: asked === 'room' ? false : refresh,
  });
  // Somebody else may decide meanwhile: a professional attests what a parent who is not on file says.
  const consent = useQuery({
    queryKey: ['consent', appointmentId],
    queryFn: () => calls.consent(appointmentId),
    refetchInterval: (q) => (unstamped(q.state.data) || (me.patient?.minor && q.state.data?.status === 'none') ? refresh : false),
  });
  const missing = appointment.error ?? consent.error;
  if (missing && !(appointment.data && consent.data)) {
    const retry = () => {
      void appointment.refetch();
      void consent.refetch();
    };
    return (
      <PatientPage title={t('title')}>
        <Failure problem={asProblem(missing)} retry={retry} busy={appointment.isFetching || consent.isFetching} />
      </PatientPage>
    );
  }
  if (!appointment.data || !consent.data) return <Opening />;
  const a = appointment.data;
  const over = a.status === 'cancelled' || a.status === 'fulfilled' || a.status === 'noshow';
  if (over && asked !== 'room') return <Over appointment={a} />;
  if (asked === 'move') {
    return (
      <Suspense fallback={<Opening />}>
        <MovePage appointment={a} onDone={() => history.back()} />
      </Suspense>
    );
  }
  if (asked === 'check' && a.encounterId) {
    return (
      <Suspense fallback={<Opening />}>
        <CheckPage appointment={a} encounterId={a.encounterId} onDone={() => history.back()} />
      </Suspense>
    );
  }
  // In an emergency a doctor began without an agreement: nobody is asked to wait for one.
  const agreed = consent.data.status === 'granted' || consent.data.status === 'emergency';
  const step = asked === 'consent' && agreed ? 'room' : asked;
  if ((step === 'consent' || step === 'room') && !agreed) {
    return <ConsentStep me={me} appointment={a} consent={consent.data} onAgreed={() => go('room', { replace: true })} onBack={() => go('card', { replace: true })} />;
  }
  if (step === 'room') {
    return (
      <Suspense fallback={<Opening />}>
        <Room appointment={a} link={link} onConsent={() => go('consent', { replace: true })} onCard={() => go('card', { replace: true })} />
      </Suspense>
    );
  }
  return (
    <AppointmentCard
      appointment={a}
      consent={consent.data}
      minor={me.patient?.minor ?? false}
      onEnter={() => go(agreed ? 'room' : 'consent')}
      onMove={() => go('move')}
      onCheck={() => go('check')}
    />
  );
}

function Opening() {
  const t = useT('join');
  return (
    <PatientPage title={t('title')}>
      <Loading what={t('opening')}>
        <Lines count={5} />
      </Loading>
    </PatientPage>
  );
}

function Over({ appointment: a }: { appointment: Appointment }) {
  const t = useT('join');
  const { language } = useLanguage();
  const now = useNow();
  const when = sayDateTime(a.start, now, visitorZone(), language);
  if (a.status === 'fulfilled') {
    return (
      <PatientPage title={t('finished.title')} action={<LinkButton to="/documents" wide>{t('documents')}</LinkButton>}>
        <p>{t('finished.text')}</p>
      </PatientPage>
    );
  }
  const kind = a.status === 'noshow' ? 'noshow' : 'cancelled';
  return (
    <PatientPage
      title={t(`${kind}.title`)}
      action={<LinkButton to={`/medecins/${encodeURIComponent(a.practitioner.id)}`} wide>{t('cancelled.again')}</LinkButton>}
    >
      <p>{t(`${kind}.text`, { when, name: a.practitioner.displayName })}</p>
    </PatientPage>
  );
}
