/** One act seen by somebody invited at the patient's side: who they are here, then the room. No consent, no document. */
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import * as calls from '@/api/calls';
import { asProblem } from '@/api/client';
import type { Attendance } from '@/api/types';
import { EndPage } from '@/features/call/EndPage';
import { useStep } from '@/features/waiting/useStep';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayDateTime, visitorZone } from '@/i18n/time';
import { Failure } from '@/ui/Alert';
import { Button } from '@/ui/Button';
import { Lines, Loading } from '@/ui/Loading';
import { PatientPage, useNow } from '@/ui/Page';

const Room = lazy(() => import('@/features/waiting/Room').then((m) => ({ default: m.OpenRoom })));

/** How often the act is read again while the card is in view, in milliseconds. */
const refresh = 15_000;

export default function AttendPage({ link }: { link: string | null }) {
  const t = useT('companion');
  const [step, go] = useStep();
  const found = useQuery({ queryKey: ['attendance'], queryFn: calls.attendance, refetchInterval: step === 'room' ? false : refresh });
  const loading = (
    <PatientPage title={t('attend.title')}>
      <Loading what={t('attend.opening')}>
        <Lines count={4} />
      </Loading>
    </PatientPage>
  );
  if (found.isError && !found.data) {
    return (
      <PatientPage title={t('attend.title')}>
        <Failure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />
      </PatientPage>
    );
  }
  if (!found.data) return loading;
  const a = found.data;
  if (step === 'room' && a.encounterId) {
    return (
      <Suspense fallback={loading}>
        <Room
          encounterId={a.encounterId}
          place={{ start: a.start, practitioner: a.practitionerName, patient: a.patientName, companion: true }}
          link={link}
          onOver={() => void found.refetch()}
          end={(snapshot, onBack) => (
            <EndPage snapshot={snapshot} onBack={onBack}>
              <Ended patient={a.patientName} />
            </EndPage>
          )}
        />
      </Suspense>
    );
  }
  if (a.over) {
    return (
      <PatientPage title={t('over.title')}>
        <p>{t('over.text', { patient: a.patientName })}</p>
      </PatientPage>
    );
  }
  return <Card attendance={a} onEnter={() => go('room')} />;
}

function Card({ attendance: a, onEnter }: { attendance: Attendance; onEnter: () => void }) {
  const t = useT('companion');
  const { language } = useLanguage();
  const now = useNow();
  return (
    <PatientPage
      title={t('attend.title')}
      lead={<p>{[a.practitionerName, sayDateTime(a.start, now, visitorZone(), language)].join(', ')}</p>}
      action={
        a.encounterId && (
          <Button wide onPress={onEnter}>
            {t('attend.enter')}
          </Button>
        )
      }
    >
      <p>{t('attend.as', { name: a.displayName, patient: a.patientName })}</p>
      <p>{t('attend.sees', { patient: a.patientName })}</p>
      {!a.encounterId && <p>{t('attend.later')}</p>}
    </PatientPage>
  );
}

function Ended({ patient }: { patient: string }) {
  const t = useT('companion');
  return (
    <PatientPage title={t('end.title')}>
      <p>{t('end.text', { patient })}</p>
    </PatientPage>
  );
}
