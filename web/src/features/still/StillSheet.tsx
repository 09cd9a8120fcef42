/**
 * The photo that the professional asks for: the camera's picture, the button, the photo looked at before it leaves, and
 * every way it can go wrong. The call goes on behind. Loaded when a photo is asked for and not before.
 */
import type { Call, CallSnapshot, StillRequest } from '@rtc/api';
import { prepare, ShotError, takePhoto } from '@rtc/still';
import { StripError } from '@rtc/strip';
import { useEffect, useReducer, useRef, useState } from 'react';
import { asProblem, newIntention } from '@/api/client';
import { DeviceProblems } from '@/features/diagnostics/DeviceProblems';
import { problemsOf } from '@/features/diagnostics/problems';
import { SelfPicture } from '@/features/call/SelfPicture';
import { useProblemWords, type ProblemWords } from '@/i18n/problems';
import { useT } from '@/i18n/i18n';
import { useAnnounce } from '@/ui/Announcer';
import { Button } from '@/ui/Button';
import { Sheet } from '@/ui/Sheet';
import { next, type Step } from './flow';
import { sendStill } from './send';
import styles from './still.module.css';

type Props = {
  call: Call;
  snapshot: CallSnapshot;
  encounter: string;
  request: StillRequest;
  /** The request is not told any more: answered, given up, or too old to be shown. */
  gone: boolean;
  onClose: () => void;
};

export default function StillSheet({ call, snapshot, encounter, request, gone, onClose }: Props) {
  const t = useT('still');
  // Loaded before the sheet opens: words that came late would close it for a moment.
  useT('diagnostics');
  const words = useProblemWords();
  const announce = useAnnounce();
  const [step, happened] = useReducer(next, { at: 'frame' } satisfies Step as Step);
  const turns = useRef(0);
  const sending = useSending(encounter, request.id, step, happened);
  // Nothing was taken yet and nobody waits for it any more.
  const overtaken = gone && (step.at === 'frame' || step.at === 'taking' || step.at === 'failed');
  const close = () => {
    sending.current?.abort();
    if (snapshot.torch) void call.setTorch(false);
    // The face is what the call was about before.
    if (turns.current % 2 === 1 && snapshot.facingAway) void call.switchCamera();
    onClose();
  };
  const answer = (state: 'refused' | 'failed') => {
    call.answerStill(request.id, state);
    close();
  };
  // Each is said when it happens, not again when the language or the call behind changes.
  useEffect(() => announce(t('asked', { name: request.name }), 'assertive'), [announce, request.name]);
  useEffect(() => {
    if (!overtaken) return;
    announce(t('gone'));
    close();
  }, [overtaken]);
  useEffect(() => {
    const said = { look: 'look', sent: 'sent', stuck: 'stuck', failed: 'failed', unwanted: 'unwanted' } as const;
    const word = said[step.at as keyof typeof said];
    if (word) announce(t(`said.${word}`));
  }, [announce, step.at]);
  const take = () => {
    const track = snapshot.selfView?.getVideoTracks()[0];
    if (!track) return;
    happened({ did: 'take' });
    takePhoto(track)
      .then(prepare)
      .then(
        (shot) => happened({ did: 'taken', shot, key: newIntention() }),
        (error: unknown) => happened({ did: 'failed', cause: error instanceof ShotError || error instanceof StripError ? error.why : 'camera' }),
      );
  };
  const escape = () => {
    if (step.at === 'sent') return close();
    if (step.at !== 'sending') answer(step.at === 'frame' || step.at === 'look' || step.at === 'taking' ? 'refused' : 'failed');
  };
  return (
    <Sheet title={step.at === 'sent' ? t('sent.title') : t('title', { name: request.name })} isOpen onClose={escape} isDismissable={false}>
      {(step.at === 'frame' || step.at === 'taking') && (
        <Frame
          call={call}
          snapshot={snapshot}
          busy={step.at === 'taking'}
          onTake={take}
          onTurn={() => {
            turns.current += 1;
            void call.switchCamera();
          }}
        />
      )}
      {step.at === 'failed' && (
        <>
          <p>{t(`failed.${step.cause}`)}</p>
          <Button wide onPress={() => happened({ did: 'again' })}>
            {t('again')}
          </Button>
          <Button wide look="text" onPress={() => answer('failed')}>
            {t('giveUp')}
          </Button>
        </>
      )}
      {(step.at === 'look' || step.at === 'sending' || step.at === 'stuck') && <Taken blob={step.shot.blob} />}
      {step.at === 'look' && (
        <>
          <p className={styles.soft}>{t('look.note', { name: request.name })}</p>
          <Button wide onPress={() => happened({ did: 'send' })}>
            {t('send')}
          </Button>
          <Button wide look="secondary" onPress={() => happened({ did: 'again' })}>
            {t('retake')}
          </Button>
        </>
      )}
      {step.at === 'sending' && <Progress part={step.part} />}
      {step.at === 'stuck' && <Stuck words={words(step.problem)} onSend={() => happened({ did: 'send' })} onGiveUp={() => answer('failed')} />}
      {step.at === 'unwanted' && (
        <>
          <Unwanted words={words(step.problem)} field={step.problem.fields[0]?.detail} />
          {!gone && (
            <Button wide onPress={() => happened({ did: 'again' })}>
              {t('retake')}
            </Button>
          )}
          <Button wide look="text" onPress={() => answer('failed')}>
            {t('close')}
          </Button>
        </>
      )}
      {step.at === 'sent' && (
        <>
          <p>{t(snapshot.me?.role === 'patient' ? 'sent.text' : 'sent.other', { name: request.name })}</p>
          <Button wide onPress={close} autoFocus>
            {t('close')}
          </Button>
        </>
      )}
      {(step.at === 'frame' || step.at === 'taking' || step.at === 'look') && (
        <Button wide look="text" onPress={() => answer('refused')}>
          {t('notNow')}
        </Button>
      )}
    </Sheet>
  );
}

/** Starts a sending when the step says so; a photo that is stuck leaves by itself when the network is back. */
function useSending(encounter: string, request: string, step: Step, happened: (h: Parameters<typeof next>[1]) => void) {
  const sending = useRef<{ abort: () => void } | null>(null);
  const under = step.at === 'sending' ? step.shot : null;
  const key = step.at === 'sending' ? step.key : '';
  useEffect(() => {
    if (!under) return;
    const now = sendStill({ encounter, request, shot: under, key }, (part) => happened({ did: 'moved', part }));
    sending.current = now;
    now.done.then(
      () => happened({ did: 'sent' }),
      (cause: unknown) => happened({ did: 'refused', problem: asProblem(cause) }),
    );
  }, [under, key, encounter, request, happened]);
  const stuck = step.at === 'stuck';
  useEffect(() => {
    if (!stuck) return;
    const again = () => happened({ did: 'send' });
    addEventListener('online', again);
    return () => removeEventListener('online', again);
  }, [stuck, happened]);
  return sending;
}

function Frame({ call, snapshot, busy, onTake, onTurn }: { call: Call; snapshot: CallSnapshot; busy: boolean; onTake: () => void; onTurn: () => void }) {
  const t = useT('still');
  const cameras = useCameras(call, snapshot.devices.camera.state);
  const problems = problemsOf(snapshot.devices).some((p) => p.kind === 'camera');
  if (!snapshot.camera || !snapshot.selfView) {
    return (
      <>
        {problems && <DeviceProblems devices={{ ...snapshot.devices, microphone: { state: 'off' } }} />}
        {!problems && <p>{t('cameraOff')}</p>}
        <Button wide onPress={() => (problems ? void call.openDevices({ camera: true, microphone: false }) : call.setCamera(true))}>
          {t(problems ? 'again' : 'cameraOn')}
        </Button>
      </>
    );
  }
  return (
    <>
      <div className={styles.frame}>
        <SelfPicture stream={snapshot.selfView} label={t('preview')} mirrored={false} />
      </div>
      <div className={styles.tools}>
        {cameras > 1 && (
          <Button look="secondary" onPress={onTurn} isDisabled={busy}>
            {t(snapshot.facingAway ? 'front' : cameras === 2 ? 'rear' : 'other')}
          </Button>
        )}
        {snapshot.torch !== undefined && (
          <Button look="secondary" aria-pressed={snapshot.torch} onPress={() => void call.setTorch(!snapshot.torch)}>
            {t(snapshot.torch ? 'torch.off' : 'torch.on')}
          </Button>
        )}
      </div>
      <Button wide onPress={onTake} busy={busy}>
        {t('take')}
      </Button>
    </>
  );
}

function useCameras(call: Call, state: string): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    let left = false;
    void call.listDevices().then(({ cameras }) => !left && setCount(cameras.length), () => undefined);
    return () => {
      left = true;
    };
  }, [call, state]);
  return count;
}

function Taken({ blob }: { blob: Blob }) {
  const t = useT('still');
  const [url, setUrl] = useState('');
  useEffect(() => {
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return <div className={styles.frame}>{url && <img src={url} alt={t('photo')} />}</div>;
}

function Progress({ part }: { part: number }) {
  const t = useT('still');
  return (
    <div className={styles.progress}>
      <label htmlFor="still-sending">{t(part < 1 ? 'sending' : 'keeping')}</label>
      <progress id="still-sending" max={1} value={part} />
    </div>
  );
}

function Stuck({ words, onSend, onGiveUp }: { words: ProblemWords; onSend: () => void; onGiveUp: () => void }) {
  const t = useT('still');
  return (
    <>
      <div>
        <p className={styles.strong}>{words.what}</p>
        <p>{t('stuck.text')}</p>
      </div>
      <Button wide onPress={onSend}>
        {t('sendAgain')}
      </Button>
      <Button wide look="text" onPress={onGiveUp}>
        {t('giveUp')}
      </Button>
    </>
  );
}

function Unwanted({ words, field }: { words: ProblemWords; field: string | undefined }) {
  return (
    <div>
      <p className={styles.strong}>{words.what}</p>
      <p>{field ?? words.now}</p>
      <p className={styles.soft}>{words.reference}</p>
    </div>
  );
}
