/** The professional's side: one button, and what became of what was asked. */
import type { Call, CallSnapshot, Seat, StillRequest } from '@rtc/api';
import { useEffect, useRef, useState } from 'react';
import { isDevice, othersOf } from '@/features/call/people';
import { useT } from '@/i18n/i18n';
import { useAnnounce } from '@/ui/Announcer';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import styles from './still.module.css';

/** Who may be asked now: in the call, a person, not the host, not on hold. */
export function askable(snapshot: CallSnapshot): Seat[] {
  return othersOf(snapshot)
    .map((p) => p.seat)
    .filter((s) => !s.host && !s.held && !isDevice(s));
}

const waits = (snapshot: CallSnapshot, seat: string) => snapshot.stills.some((r) => r.seat === seat && r.state === 'asked');

export function AskStill({ call, snapshot }: { call: Call; snapshot: CallSnapshot }) {
  const t = useT('still');
  const [choosing, setChoosing] = useState(false);
  const people = askable(snapshot);
  const [only] = people;
  if (snapshot.me?.host !== true || !only) return null;
  const one = people.length === 1;
  return (
    <>
      <Button look="text" busy={one && waits(snapshot, only.seat)} onPress={() => (one ? call.askStill(only.seat) : setChoosing(true))}>
        {t('ask')}
      </Button>
      <Dialog title={t('ask.whom')} isOpen={choosing} onClose={() => setChoosing(false)}>
        {people.map((s) => (
          <Button
            key={s.seat}
            wide
            look="secondary"
            busy={waits(snapshot, s.seat)}
            onPress={() => {
              call.askStill(s.seat);
              setChoosing(false);
            }}
          >
            {s.name}
          </Button>
        ))}
        <Button look="text" onPress={() => setChoosing(false)}>
          {t('ask.cancel')}
        </Button>
      </Dialog>
    </>
  );
}

/** What became of each request, also said to who does not look; until it is put away. */
export function AskedStills({ snapshot, onOpen }: { snapshot: CallSnapshot; onOpen: () => void }) {
  const t = useT('still');
  const announce = useAnnounce();
  const [away, setAway] = useState<readonly string[]>([]);
  const known = useRef(new Set<string>());
  const host = snapshot.me?.host === true;
  const list = host ? snapshot.stills : [];
  const nameOf = (r: StillRequest) => snapshot.seats.find((s) => s.seat === r.seat)?.name ?? '';
  useEffect(() => {
    for (const r of list) {
      const key = r.id + r.state;
      if (!known.current.has(key)) announce(t(`state.${r.state}`, { name: nameOf(r) }));
      known.current.add(key);
    }
  });
  const shown = list.filter((r) => !away.includes(r.id + r.state));
  if (shown.length === 0) return null;
  const put = (r: StillRequest) => setAway([...away, r.id + r.state]);
  return (
    <ul role="list" className={styles.asked} aria-label={t('asked.list')}>
      {shown.map((r) => (
        <li key={r.id}>
          <span>{t(`state.${r.state}`, { name: nameOf(r) })}</span>
          {r.state === 'kept' && (
            <Button
              look="secondary"
              onPress={() => {
                onOpen();
                put(r);
              }}
            >
              {t('see')}
            </Button>
          )}
          {(r.state === 'refused' || r.state === 'failed') && (
            <Button look="text" onPress={() => put(r)}>
              {t('understood')}
            </Button>
          )}
        </li>
      ))}
    </ul>
  );
}
