/** The room of one patient, or of somebody at their side: devices, waiting, call, end, over one and the same Call. */
import type { Call, CallSnapshot } from '@rtc/api';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import type { Appointment } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayDateTime, visitorZone } from '@/i18n/time';
import { CallView } from '@/features/call/CallView';
import { Ended, EndPage } from '@/features/call/EndPage';
import { useCall, useSnapshot } from '@/features/call/useCall';
import { DeviceCheck } from '@/features/diagnostics/DeviceCheck';
import { Failure } from '@/ui/Alert';
import { Hidden } from '@/ui/Announcer';
import { Loading } from '@/ui/Loading';
import { PatientPage } from '@/ui/Page';
import { soon } from './AppointmentCard';
import { Question } from './Question';
import { SeatElsewhere, SeatRefused } from './SeatPages';
import { WaitingRoom } from './WaitingRoom';

/** What the room says of the act. */
export type Place = {
  start: string;
  practitioner: string;
  patient: string;
  /** Who is here was invited by the patient or the doctor. */
  companion?: boolean;
};

type RoomProps = {
  encounterId: string;
  place: Place;
  link: string | null;
  /** Absent for who agrees to nothing. */
  onConsent?: () => void;
  onOver: () => void;
  end: (snapshot: CallSnapshot, onBack: () => void) => ReactNode;
};

type Props = { appointment: Appointment; link: string | null; onConsent: () => void; onCard: () => void };

export default function Room({ appointment, link, onConsent, onCard }: Props) {
  const t = useT('join');
  const { encounterId } = appointment;
  const queries = useQueryClient();
  useEffect(() => {
    if (encounterId) return;
    // The act is opened by the server a moment after the booking.
    const timer = setInterval(() => void queries.invalidateQueries({ queryKey: ['appointment', appointment.id] }), 2000);
    return () => clearInterval(timer);
  }, [encounterId, appointment.id, queries]);
  if (!encounterId) {
    return (
      <PatientPage title={t('title')}>
        <Loading what={t('room.preparing')} />
      </PatientPage>
    );
  }
  return (
    <OpenRoom
      encounterId={encounterId}
      place={{ start: appointment.start, practitioner: appointment.practitioner.displayName, patient: appointment.patient.displayName }}
      link={link}
      onConsent={onConsent}
      onOver={() => void queries.invalidateQueries({ queryKey: ['appointment', appointment.id] })}
      end={(snapshot, onBack) => (
        <EndPage snapshot={snapshot} onBack={onBack} onCard={onCard}>
          <Ended snapshot={snapshot} appointment={appointment} />
        </EndPage>
      )}
    />
  );
}

export function OpenRoom({ encounterId, ...props }: RoomProps) {
  const t = useT('join');
  const { call, problem, retry } = useCall(encounterId);
  if (problem || !call) {
    return (
      <PatientPage title={t('title')}>
        {problem ? <Failure problem={problem} retry={retry} /> : <Loading what={t('room.preparing')} />}
      </PatientPage>
    );
  }
  return <Live {...props} encounterId={encounterId} call={call} />;
}

/** After a reload the way back is short: the devices open by themselves and the seat is taken again. */
const wasInside = () => (history.state as { inside?: boolean } | null)?.inside === true;
const rememberInside = (inside: boolean) => history.replaceState({ ...(history.state as object | null), inside }, '');

function Live({ call, encounterId, place, link, onConsent, onOver, end }: RoomProps & { call: Call }) {
  const tWait = useT('waiting');
  const tJoin = useT('join');
  const tDevices = useT('diagnostics');
  const tCall = useT('call');
  const { language } = useLanguage();
  const snapshot = useSnapshot(call);
  const [leaving, setLeaving] = useState(false);
  const enter = () => {
    rememberInside(true);
    call.start();
  };
  useEffect(() => {
    if (!wasInside()) return;
    void call.openDevices();
    call.start();
  }, [call]);
  const over = snapshot.state === 'ended';
  const said = useRef(onOver);
  said.current = onOver;
  useEffect(() => {
    if (!over) return;
    rememberInside(false);
    said.current();
  }, [over]);
  const leave = () => {
    setLeaving(false);
    call.leave();
  };

  switch (snapshot.state) {
    case 'idle': {
      const early = Date.parse(place.start) - Date.now() > soon * 60_000;
      const text = early ? tDevices('ready.text', { when: sayDateTime(place.start, new Date(), visitorZone(), language) }) : undefined;
      return <DeviceCheck call={call} snapshot={snapshot} link={link} early={text} onReady={enter} />;
    }
    case 'elsewhere':
      return <SeatElsewhere state={snapshot.cause === 'taken' ? 'displaced' : 'busy'} onHere={() => call.takeOver()} />;
    case 'refused':
      return <SeatRefused cause={snapshot.cause} recovers={!place.companion} onRetry={() => call.start()} />;
    case 'ended':
      return end(snapshot, enter);
    case 'preparing':
    case 'waiting':
      // A call that was under way and lost its signalling stays in view.
      if (snapshot.me?.state !== 'admitted') {
        return <WaitingRoom call={call} snapshot={snapshot} place={place} onLeave={leave} />;
      }
      break;
    default:
      break;
  }
  return (
    <>
      <main aria-label={tCall('title')}>
        <h1>
          <Hidden>{tCall('title')}</Hidden>
        </h1>
        <AdmittedNotice words={tWait('admitted')} />
        <CallView
          call={call}
          snapshot={snapshot}
          encounterId={encounterId}
          onConsent={onConsent}
          hangUp={{ word: tCall('leave'), label: tCall('leave.long'), onPress: () => setLeaving(true) }}
        />
      </main>
      <Question title={tCall('leave.title')} isOpen={leaving} yes={tCall('leave.long')} no={tCall('leave.no')} onYes={leave} onNo={() => setLeaving(false)}>
        <p>{tCall('leave.ask')}</p>
        <p>{tJoin('for', { name: place.patient })}</p>
      </Question>
    </>
  );
}

/** The tab's title, a word and a short vibration: the phone may lie on the table. */
function AdmittedNotice({ words }: { words: string }) {
  const tCall = useT('call');
  const [shown, setShown] = useState('');
  const title = tCall('title');
  useEffect(() => {
    document.title = `${title} – vis-à-vis`;
    setShown(words);
    navigator.vibrate?.(300);
  }, [title, words]);
  return (
    <Hidden>
      <span role="alert">{shown}</span>
    </Hidden>
  );
}
