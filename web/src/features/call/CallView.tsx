/**
 * The call itself, the same for a patient's phone and for a pane of the desk:
 * the other person fills it, oneself is small and movable, at most five
 * buttons, the link in a word. It is given a Call and draws its snapshot.
 */
import type { Call, CallSnapshot, StillRequest } from '@rtc/api';
import { inCall } from '@rtc/state';
import { lazy, Suspense, useEffect, useRef, useState, type ReactNode } from 'react';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayTime, visitorZone } from '@/i18n/time';
import { useAnnounce } from '@/ui/Announcer';
import { Button } from '@/ui/Button';
import { Chat } from './Chat';
import { Control } from './Control';
import { Notices } from './Notices';
import { changesOf, listenersOf, othersOf, roleWord, type Person } from './people';
import { useRefusedSound } from './refused';
import { SelfView } from './SelfView';
import { Picture, Sound } from './Stream';
import { Tile } from './Tile';
import styles from './call.module.css';

// Comes with the first photo that is asked for: the room opens without it.
const StillSheet = lazy(() => import('@/features/still/StillSheet'));
// Comes with a camera that has one. When it does not come, there is none.
const Lamp = lazy(() => import('./Lamp').then((m) => ({ default: m.Lamp })).catch(() => ({ default: () => null })));

export type CallViewProps = {
  call: Call;
  snapshot: CallSnapshot;
  encounterId: string;
  /** The last button: what it says, and what it does. */
  hangUp: { word: string; label: string; onPress: () => void };
  /** A professional shares a screen; a patient turns the camera of the phone. */
  fourth?: 'flip' | 'screen';
  /** Opens the consent when media waits for it; absent for those who cannot give it. */
  onConsent?: (() => void) | undefined;
  /** Fills the window (phone), or the pane it is in (desk). */
  fill?: 'window' | 'pane';
  /** Above the picture: for the desk, who waits, the clock… */
  children?: ReactNode;
};

export function CallView({ call, snapshot, encounterId, hangUp, fourth = 'flip', onConsent, fill = 'window', children }: CallViewProps) {
  const t = useT('call');
  const { language } = useLanguage();
  const [chatOpen, setChatOpen] = useState(false);
  const chatButton = useRef<HTMLButtonElement>(null);
  const sound = useRefusedSound(call.resumeMedia);
  const others = othersOf(snapshot);
  const unread = useUnread(snapshot, chatOpen);
  const severalCameras = useSeveralCameras(call, snapshot.devices.camera.state === 'on');
  useAnnouncements(snapshot, others);
  const shared = others.find((p) => p.seat.screen && p.media?.screen);
  const live = inCall(snapshot.state);
  const held = snapshot.state === 'held';
  // With one other person there is nobody to speak with apart from them.
  const mayHold = (p: Person) => snapshot.me?.host === true && !p.seat.host && (others.length > 1 || p.seat.held === true);
  const photo = usePhoto(snapshot);
  const closeChat = () => {
    setChatOpen(false);
    chatButton.current?.focus();
  };
  return (
    <div className={`dark ${styles.call} ${styles[fill]}`}>
      {children}
      <div className={styles.middle}>
        <div className={styles.stage} data-people={Math.min(others.length, 4)}>
          {held && (
            <p className={styles.alone} role="status">
              {t('held')}
            </p>
          )}
          {shared && <Picture stream={shared.media?.screen} label={t('screenOf', { name: shared.seat.name })} className={styles.shared} onHeight={(px) => call.shows(shared.seat.seat, 'screen', px)} />}
          <div className={`${styles.tiles} ${shared ? styles.beside : ''}`}>
            {!held &&
              others.map((p) => (
                <Tile
                  key={p.seat.seat}
                  person={p}
                  speaking={snapshot.speaking.includes(p.seat.seat)}
                  shows={call.shows}
                  onHold={mayHold(p) ? (on) => call.hold(others.filter((o) => (o === p ? on : o.seat.held)).map((o) => o.seat.seat)) : undefined}
                />
              ))}
          </div>
          {others.length === 0 && live && <p className={styles.alone}>{t('alone')}</p>}
          {live && others.length > 0 && (
            <p className={styles.quality} data-quality={snapshot.quality}>
              {t(`quality.${snapshot.quality}`)}
            </p>
          )}
          <SelfView stream={snapshot.selfView} cameraOn={snapshot.camera} mirrored={!snapshot.facingAway} />
          {(snapshot.torch !== undefined || snapshot.blur !== undefined) && (
            <Suspense fallback={null}>
              <Lamp call={call} snapshot={snapshot} blur={fill === 'pane'} />
            </Suspense>
          )}
          <div className={styles.notices}>
            {listenersOf(snapshot).map((s) => (
              <p key={s.seat} className={styles.notice}>
                {t('receives', { name: s.name })}
              </p>
            ))}
            {snapshot.stopsAt && (
              <p className={styles.notice} role="status">
                {t('stops', { time: sayTime(snapshot.stopsAt, visitorZone(), language) })}
              </p>
            )}
            <Notices call={call} snapshot={snapshot} onConsent={onConsent} />
            {sound.refused && (
              <div className={styles.notice} role="alert">
                <p>{t('sound.blocked')}</p>
                <Button onPress={sound.resume}>{t('sound.resume')}</Button>
              </div>
            )}
          </div>
        </div>
        {chatOpen && <Chat snapshot={snapshot} call={call} onClose={closeChat} autoFocus={fill === 'pane'} />}
      </div>
      {photo.request && (
        <Suspense fallback={null}>
          <StillSheet key={photo.request.id} call={call} snapshot={snapshot} encounter={encounterId} request={photo.request} gone={photo.gone} onClose={photo.close} />
        </Suspense>
      )}
      {snapshot.remote.map((m) => (
        <span key={m.seat}>
          <Sound stream={m.voice} onRefused={sound.refuse} />
          {m.sound && <Sound stream={m.sound} onRefused={sound.refuse} />}
        </span>
      ))}
      <div role="toolbar" aria-label={t('controls')} className={styles.controls}>
        <Control icon="mic" word={t('mic.short')} off={!snapshot.mic} label={t(snapshot.mic ? 'mic.off' : 'mic.on')} onPress={() => call.setMic(!snapshot.mic)} />
        <Control icon="camera" word={t('camera')} off={!snapshot.camera} label={t(snapshot.camera ? 'camera.off' : 'camera.on')} onPress={() => call.setCamera(!snapshot.camera)} />
        {fourth === 'flip' && severalCameras && (
          <Control icon="flip" word={t('switch')} label={t('switch.long')} onPress={() => void call.switchCamera()} isDisabled={!snapshot.camera} />
        )}
        {fourth === 'screen' && (
          <Control icon="screen" word={t('share')} label={t(snapshot.screen ? 'share.off' : 'share.on')} pressed={snapshot.screen} onPress={() => void call.setScreen(!snapshot.screen)} />
        )}
        <Control
          ref={chatButton}
          icon="chat"
          word={t('chat.word')}
          label={unread > 0 ? t('chat.unread', { count: unread }) : t('chat.open')}
          badge={unread}
          pressed={chatOpen}
          onPress={() => setChatOpen(!chatOpen)}
        />
        <Control icon="leave" word={hangUp.word} label={hangUp.label} hangUp onPress={hangUp.onPress} />
      </div>
    </div>
  );
}

/** The photo that is asked of us, until its sheet is closed: it stays while it is sent, answered or not. */
function usePhoto(snapshot: CallSnapshot) {
  const asked = snapshot.stills.find((r) => r.seat === snapshot.me?.seat && r.state === 'asked');
  const [open, setOpen] = useState<StillRequest | null>(null);
  const [closed, setClosed] = useState('');
  const request = open ?? (asked && asked.id !== closed ? asked : null);
  useEffect(() => {
    if (request && !open) setOpen(request);
  }, [request, open]);
  const close = () => {
    setClosed(open?.id ?? '');
    setOpen(null);
  };
  return { request, gone: asked?.id !== request?.id, close };
}

/** Messages of others that came while the panel was closed. */
function useUnread(snapshot: CallSnapshot, open: boolean): number {
  const theirs = snapshot.chat.filter((m) => m.from !== snapshot.me?.seat).length;
  const [seen, setSeen] = useState(theirs);
  useEffect(() => {
    if (open) setSeen(theirs);
  }, [open, theirs]);
  return open ? 0 : Math.max(0, theirs - seen);
}

function useSeveralCameras(call: Call, on: boolean): boolean {
  const [several, setSeveral] = useState(false);
  useEffect(() => {
    let gone = false;
    if (on) void call.listDevices().then(({ cameras }) => !gone && setSeveral(cameras.length > 1), () => undefined);
    return () => {
      gone = true;
    };
  }, [call, on]);
  return several;
}

/** Says who comes, who goes, the messages, and the link that breaks and returns, to people who do not see the screen. */
function useAnnouncements(snapshot: CallSnapshot, others: Person[]) {
  const t = useT('call');
  const announce = useAnnounce();
  // Whoever is there already when the call opens is said too.
  const before = useRef<Person[]>([]);
  const holding = useRef(new Set<string>());
  const messages = useRef(snapshot.chat.length);
  useEffect(() => {
    const { came, went } = changesOf(before.current, others);
    before.current = others;
    for (const s of came) announce(t('came', { name: s.name, role: t(`role.${roleWord(s.role)}`) }));
    for (const s of went) announce(t('went', { name: s.name }));
    for (const p of others) {
      if (p.seat.held === holding.current.has(p.seat.seat)) continue;
      if (p.seat.held) announce(t('hold.said', { name: p.seat.name }));
      else if (holding.current.has(p.seat.seat)) announce(t('hold.over', { name: p.seat.name }));
    }
    holding.current = new Set(others.filter((p) => p.seat.held).map((p) => p.seat.seat));
    const fresh = snapshot.chat.slice(messages.current).filter((m) => m.from !== snapshot.me?.seat);
    messages.current = snapshot.chat.length;
    for (const m of fresh) announce(t('chat.from', { name: m.name, text: m.text }));
  });
  const cut = cutOf(snapshot);
  const wasCut = useRef(cut);
  useEffect(() => {
    if (cut === wasCut.current) return;
    wasCut.current = cut;
    announce(t(cut ?? 'back'), 'assertive');
  }, [cut, announce, t]);
}

/** What is said of a broken link, by the key of its sentence; null while all goes well or nothing has begun. */
function cutOf({ state, cause }: CallSnapshot): 'repairing' | 'lost' | 'reconnecting' | 'offline' | null {
  if (state === 'lost') return 'lost';
  if (state !== 'reconnecting') return null;
  return cause === 'signalling' ? 'reconnecting' : cause === 'offline' ? 'offline' : 'repairing';
}
