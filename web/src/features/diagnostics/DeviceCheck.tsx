/** Camera and microphone tried before the waiting room: see oneself, be heard, or read what to do. */
import type { Call, CallSnapshot } from '@rtc/api';
import { useEffect, useRef, useState } from 'react';
import { useT } from '@/i18n/i18n';
import { Button } from '@/ui/Button';
import { PatientPage } from '@/ui/Page';
import { SelfPicture } from '@/features/call/SelfPicture';
import { browserOf } from './browser';
import { DeviceProblems } from './DeviceProblems';
import { InAppHelp } from './InAppHelp';
import { LevelMeter } from './LevelMeter';
import { problemsOf } from './problems';
import styles from './diagnostics.module.css';

type Props = {
  call: Call;
  snapshot: CallSnapshot;
  /** Token of the link, to help carry it to another browser. */
  link: string | null;
  /** Words of the way in when it is early (« come back Tuesday »). */
  early?: string | undefined;
  onReady: () => void;
};

export function DeviceCheck({ call, snapshot, link, early, onReady }: Props) {
  const t = useT('diagnostics');
  const browser = useState(() => browserOf(navigator.userAgent, navigator.maxTouchPoints))[0];
  const [tryHere, setTryHere] = useState(browser.inApp === null);
  const asked = useRef(false);
  useEffect(() => {
    // The tap that led here is the permission to ask; the browser asks in its own words.
    if (tryHere && !asked.current) {
      asked.current = true;
      void call.openDevices();
    }
  }, [call, tryHere]);
  if (!tryHere) return <InAppHelp browser={browser} link={link} onTry={() => setTryHere(true)} />;

  const { devices } = snapshot;
  const asking = [devices.camera, devices.microphone].some((d) => d.state === 'asking' || d.state === 'off');
  const problems = problemsOf(devices);
  const cameraWrong = problems.some((p) => p.kind === 'camera');
  const microphoneWrong = problems.some((p) => p.kind === 'microphone');
  let goOn = early ? t('ready.enter') : t('enter');
  if (cameraWrong && microphoneWrong) goOn = t('withoutBoth');
  else if (cameraWrong) goOn = t('withoutCamera');
  else if (microphoneWrong) goOn = t('withoutMicrophone');
  const action = (
    <>
      {problems.length > 0 && (
        <Button wide onPress={() => void call.openDevices()} busy={asking}>
          {t('retry')}
        </Button>
      )}
      <Button wide look={problems.length > 0 || early ? 'secondary' : 'primary'} isDisabled={asking && problems.length === 0} onPress={onReady}>
        {goOn}
      </Button>
    </>
  );
  const ready = !asking && problems.length === 0;
  return (
    <PatientPage title={early && ready ? t('ready.title') : t('title')} action={action}>
      {early && ready && <p>{early}</p>}
      {asking && problems.length === 0 && <p role="status">{t('asking')}</p>}
      <DeviceProblems devices={devices} />
      {devices.camera.state === 'on' && snapshot.selfView && (
        <figure className={styles.self}>
          <SelfPicture stream={snapshot.selfView} label={t('self')} />
          <figcaption>{t('seen')}</figcaption>
        </figure>
      )}
      {devices.microphone.state === 'on' && <LevelMeter level={call.micLevel} />}
    </PatientPage>
  );
}
