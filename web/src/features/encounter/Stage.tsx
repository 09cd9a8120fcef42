/** The person: the call once somebody is in, and before it who waits, what is missing, what to do. */
import { useEffect, useRef, useState } from 'react';
import { CallView } from '@/features/call/CallView';
import { Chat } from '@/features/call/Chat';
import { AskedStills, AskStill } from '@/features/still/AskStill';
import { useT } from '@/i18n/i18n';
import { useAnnounce } from '@/ui/Announcer';
import { Button } from '@/ui/Button';
import { useNow } from '@/ui/Page';
import { Door } from './Door';
import { SceneNote } from './SceneNote';
import { atTheDoor, clock, live, sceneOf } from './stage';
import type { DeskCall } from './useDeskCall';
import styles from './stage.module.css';

export type StageProps = {
  desk: DeskCall | null;
  encounterId: string;
  failed: boolean;
  host: boolean;
  /** Planned start, said while the patient has not come. */
  planned: string | undefined;
  /** The act has begun: it can be ended even when nobody is in the call. */
  begun: boolean;
  /** Absent for who may not invite. */
  onInvite?: (() => void) | undefined;
  onDevice: () => void;
  onEnd: () => void;
  /** Shows the photos of the act. */
  onStills: () => void;
};

export function Stage({ desk, encounterId, failed, host, planned, begun, onInvite, onDevice, onEnd, onStills }: StageProps) {
  const t = useT('encounter');
  const snapshot = desk?.snapshot ?? null;
  const scene = failed ? 'refused' : sceneOf(snapshot);
  const now = useNow(1_000);
  const door = snapshot && host ? atTheDoor(snapshot.seats) : [];
  const kind = host ? 'all' : 'me';
  useWaiters(desk);
  return (
    <section className={`dark ${styles.stage}`} aria-label={t('stage.name')}>
      {desk && live(scene) ? (
        <CallView
          call={desk.call}
          snapshot={desk.snapshot}
          encounterId={encounterId}
          fill="pane"
          fourth="screen"
          hangUp={{ word: t(`hangUp.${kind}`), label: t(`end.title.${kind}`), onPress: onEnd }}
        >
          <div className={styles.strip}>
            <span className={styles.clock}>{clock(desk.snapshot.startedAt, now)}</span>
            {onInvite && (
              <Button look="text" onPress={onInvite}>
                {t('invite.title')}
              </Button>
            )}
            <Button look="text" onPress={onDevice}>
              {t('device.title')}
            </Button>
            <AskStill call={desk.call} snapshot={desk.snapshot} />
          </div>
          <AskedStills snapshot={desk.snapshot} onOpen={onStills} />
          {door.length > 0 && <Door desk={desk} waiting={door} now={now} />}
        </CallView>
      ) : (
        <div className={styles.scene}>
          <SceneNote scene={scene} desk={desk} planned={planned} />
          {desk && door.length > 0 && <Door desk={desk} waiting={door} now={now} />}
          {desk && (scene === 'door' || scene === 'blocked' || scene === 'waiting') && <Write desk={desk} />}
          {begun && host && scene !== 'over' && (
            <Button look="text" onPress={onEnd}>
              {t('end.title.all')}
            </Button>
          )}
        </div>
      )}
    </section>
  );
}

/** Words to who waits, before picture and sound. */
function Write({ desk }: { desk: DeskCall }) {
  const t = useT('encounter');
  const [open, setOpen] = useState(false);
  if (open) {
    return (
      <div className={styles.write}>
        <Chat snapshot={desk.snapshot} call={desk.call} onClose={() => setOpen(false)} autoFocus />
      </div>
    );
  }
  const count = desk.snapshot.chat.length;
  return (
    <Button look="text" onPress={() => setOpen(true)}>
      {count > 0 ? t('write.count', { count }) : t('write')}
    </Button>
  );
}

/** Who comes to the door, said to those who do not look at the pane. */
function useWaiters(desk: DeskCall | null) {
  const t = useT('encounter');
  const announce = useAnnounce();
  const before = useRef<Set<string> | null>(null);
  useEffect(() => {
    if (!desk?.snapshot.me?.host) return;
    const waiting = atTheDoor(desk.snapshot.seats);
    if (before.current) for (const s of waiting) if (!before.current.has(s.seat)) announce(t('say.waits', { name: s.name }));
    before.current = new Set(waiting.map((s) => s.seat));
  });
}
