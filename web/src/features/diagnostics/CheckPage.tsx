/** Camera, microphone, loudspeaker and network tried before the day: what works, and the one fix for what does not. */
import type { Call, DeviceStatus } from '@rtc/api';
import { useEffect, useRef, useState } from 'react';
import { asProblem, type Problem } from '@/api/client';
import type { Appointment, CheckResult } from '@/api/types';
import { SelfPicture } from '@/features/call/SelfPicture';
import { useCall, useSnapshot } from '@/features/call/useCall';
import { useLanguage, useT } from '@/i18n/i18n';
import { Alert, Failure } from '@/ui/Alert';
import { Button } from '@/ui/Button';
import { Loading } from '@/ui/Loading';
import { PatientPage } from '@/ui/Page';
import { State } from '@/ui/State';
import { fixesOf, rowsOf } from './checkRows';
import { DeviceProblems } from './DeviceProblems';
import { LevelMeter } from './LevelMeter';
import { ping } from './ping';
import { keep, tryNetwork, type Network } from './ways';
import styles from './diagnostics.module.css';

export default function CheckPage({ appointment, encounterId, onDone }: { appointment: Appointment; encounterId: string; onDone: () => void }) {
  const t = useT('diagnostics');
  const { call, problem, retry } = useCall(encounterId);
  if (!call) {
    return <PatientPage title={t('check.title')}>{problem ? <Failure problem={problem} retry={retry} /> : <Loading what={t('check.opening')} />}</PatientPage>;
  }
  return <Check call={call} encounterId={encounterId} doctor={appointment.practitioner.displayName} onDone={onDone} />;
}

/** A device as the report says it; undefined while it is being asked for. */
function said(d: DeviceStatus): CheckResult['camera'] | undefined {
  if (d.state === 'on') return 'ok';
  if (d.state !== 'problem') return undefined;
  if (d.cause === 'denied' || d.cause === 'missing' || d.cause === 'busy' || d.cause === 'silent') return d.cause;
  return d.cause === 'system' || d.cause === 'forbidden' || d.cause === 'dismissed' ? 'denied' : 'failed';
}

type Speaker = 'ok' | 'failed' | undefined;

function Check({ call, encounterId, doctor, onDone }: { call: Call; encounterId: string; doctor: string; onDone: () => void }) {
  const t = useT('diagnostics');
  const { language } = useLanguage();
  const { devices, selfView } = useSnapshot(call);
  const [turn, setTurn] = useState(0);
  const [network, setNetwork] = useState<Partial<Network>>({});
  const [measured, setMeasured] = useState<Network | null>(null);
  const [speaker, setSpeaker] = useState<Speaker>();
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    let gone = false;
    setNetwork({});
    setMeasured(null);
    setProblem(null);
    void call.openDevices();
    tryNetwork(encounterId, (way, state) => !gone && setNetwork((n) => ({ ...n, [way]: state }))).then(
      (found) => {
        if (gone) return;
        setNetwork(found);
        setMeasured(found);
      },
      (cause) => !gone && setProblem(asProblem(cause)),
    );
    return () => {
      gone = true;
    };
  }, [call, encounterId, turn]);
  const camera = said(devices.camera);
  const microphone = said(devices.microphone);
  const told = useRef('');
  useEffect(() => {
    if (!measured || !camera || !microphone) return;
    const key = [turn, camera, microphone, speaker].join();
    if (told.current === key) return;
    told.current = key;
    keep(encounterId, measured, { camera, microphone, speaker: speaker ?? 'untested' }, false).catch((cause) => setProblem(asProblem(cause)));
  }, [measured, camera, microphone, speaker, turn, encounterId]);

  const known = { camera, microphone, speaker, ...network };
  const fixes = fixesOf(known);
  const done = measured !== null && camera !== undefined && microphone !== undefined;
  const well = done && fixes.length === 0 && camera === 'ok' && microphone === 'ok';
  const mbit = (n: number) => new Intl.NumberFormat(language, { maximumFractionDigits: n < 10_000 ? 1 : 0 }).format(n / 1000);
  return (
    <PatientPage
      title={t(!done ? 'check.title' : well ? 'check.good' : 'check.bad')}
      lead={<p role="status">{!done ? t('check.running') : well ? t('check.goodText') : t('check.badText', { name: doctor })}</p>}
      action={
        <>
          <Button wide onPress={onDone} isDisabled={!done && !problem}>
            {t('check.done')}
          </Button>
          {(done || problem) && !well && (
            <Button wide look="secondary" onPress={() => setTurn((n) => n + 1)}>
              {t('retry')}
            </Button>
          )}
        </>
      }
    >
      {problem && <Failure problem={problem} retry={() => setTurn((n) => n + 1)} />}
      <DeviceProblems devices={devices} />
      {fixes.map((f) => (
        <Alert key={f} tone="warn" title={t(`check.fix.${f}.title`)} live>
          <p>{t(`check.fix.${f}`)}</p>
        </Alert>
      ))}
      <ul role="list" className={styles.rows}>
        {rowsOf(known).map((r) => (
          <li key={r.key}>
            <span>{t(`check.${r.key}`)}</span>
            <State tone={r.tone}>{r.word === 'rate' ? t('check.mbit', { up: mbit(r.up ?? 0), down: mbit(r.down ?? 0) }) : t(`check.word.${r.word}`)}</State>
          </li>
        ))}
      </ul>
      <Loudspeaker answer={speaker} onAnswer={setSpeaker} />
      {camera === 'ok' && selfView && (
        <figure className={styles.self}>
          <SelfPicture stream={selfView} label={t('self')} />
          <figcaption>{t('seen')}</figcaption>
        </figure>
      )}
      {microphone === 'ok' && <LevelMeter level={call.micLevel} />}
    </PatientPage>
  );
}

function Loudspeaker({ answer, onAnswer }: { answer: Speaker; onAnswer: (heard: Speaker) => void }) {
  const t = useT('diagnostics');
  const [played, setPlayed] = useState(false);
  const play = () => {
    onAnswer(undefined);
    void ping().then(() => setPlayed(true));
  };
  return (
    <div className={styles.speaker}>
      <Button look="secondary" wide onPress={play}>
        {t(played ? 'check.again' : 'check.play')}
      </Button>
      {played && answer === undefined && (
        <div role="group" aria-label={t('check.heard')} className={styles.answers}>
          <span>{t('check.heard')}</span>
          <Button look="secondary" onPress={() => onAnswer('ok')}>
            {t('check.yes')}
          </Button>
          <Button look="secondary" onPress={() => onAnswer('failed')}>
            {t('check.no')}
          </Button>
        </div>
      )}
    </div>
  );
}
