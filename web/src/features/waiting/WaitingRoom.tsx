/** Waiting as a place in line: who is before, how long, until when the place is kept. */
import type { Call, CallSnapshot, Queue } from '@rtc/api';
import { useState } from 'react';
import { Chat } from '@/features/call/Chat';
import { SelfPicture } from '@/features/call/SelfPicture';
import { DeviceProblems } from '@/features/diagnostics/DeviceProblems';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayTime, visitorZone } from '@/i18n/time';
import { Alert } from '@/ui/Alert';
import { Button } from '@/ui/Button';
import { Loading } from '@/ui/Loading';
import { PatientPage, Section } from '@/ui/Page';
import type { Place } from './Room';
import styles from './waiting.module.css';

type Props = { call: Call; snapshot: CallSnapshot; place: Place; onLeave: () => void };

export function WaitingRoom({ call, snapshot, place, onLeave }: Props) {
  const t = useT('waiting');
  const { language } = useLanguage();
  const [writing, setWriting] = useState(false);
  const zone = visitorZone();
  const { queue } = snapshot;
  return (
    <PatientPage title={t('title')} lead={<p>{[place.practitioner, t('planned', { time: sayTime(place.start, zone, language) })].join('. ')}</p>}>
      {snapshot.socket === 'reconnecting' && (
        <Alert tone="warn" live>
          <p>{t('reconnecting')}</p>
        </Alert>
      )}
      {snapshot.stopsAt && (
        <Alert tone="warn" live>
          <p>{t('stops', { time: sayTime(snapshot.stopsAt, zone, language) })}</p>
        </Alert>
      )}
      {queue ? <Line queue={queue} /> : place.companion && snapshot.state === 'waiting' ? <p role="status">{t('companion')}</p> : <Loading what={t('entering')} />}
      {queue?.recall && <Recall recall={queue.recall} offer={queue.position > 1 || (queue.wait?.fromMinutes ?? 99) > soonEnough} onAsk={() => call.askRecall()} />}
      {snapshot.keptUntil && !queue?.recall?.asked && <p>{t('kept', { time: sayTime(snapshot.keptUntil, zone, language) })}</p>}
      <DeviceProblems devices={snapshot.devices} />
      {snapshot.selfView && snapshot.camera !== false && (
        <div className={styles.self}>
          <SelfPicture stream={snapshot.selfView} label={t('devices')} />
        </div>
      )}
      {writing || snapshot.chat.length > 0 ? (
        <Section>
          <Chat snapshot={snapshot} call={call} />
        </Section>
      ) : (
        <div>
          <Button look="text" onPress={() => setWriting(true)} isDisabled={snapshot.state === 'preparing'}>
            {t('chat')}
          </Button>
        </div>
      )}
      <div>
        <Button look="text" onPress={onLeave}>
          {t('leave')}
        </Button>
      </div>
    </PatientPage>
  );
}

/** Minutes under which nobody needs to go away. */
const soonEnough = 5;

/** One may go and do something else: an SMS calls back. */
function Recall({ recall, offer, onAsk }: { recall: NonNullable<Queue['recall']>; offer: boolean; onAsk: () => void }) {
  const t = useT('waiting');
  if (recall.asked) {
    return (
      <Alert tone="good" live>
        <p>{t(recall.sentAt ? 'recall.sent' : 'recall.asked', { end: recall.phoneEnd })}</p>
      </Alert>
    );
  }
  if (!offer) return null;
  return (
    <div>
      <Button look="secondary" wide onPress={onAsk}>
        {t('recall.ask')}
      </Button>
      <p className={styles.soft}>{t('recall.note', { end: recall.phoneEnd })}</p>
    </div>
  );
}

/** Minutes from which a time of day says more than a number of minutes. */
const long = 60;

/** Places drawn at most; a longer line is said in words only. */
const drawn = 8;

function Line({ queue }: { queue: Queue }) {
  const t = useT('waiting');
  const before = queue.position - 1;
  const wait = queue.wait;
  const { language } = useLanguage();
  const at = (minutes: number) => sayTime(new Date(Date.now() + minutes * 60_000), visitorZone(), language);
  return (
    <div className={styles.line}>
      <div role="status">
        <p className={styles.place}>{before === 0 ? t('next') : t('before', { count: before })}</p>
        {wait && (
          <p>{wait.fromMinutes >= long ? t('waitLong', { from: at(wait.fromMinutes), to: at(wait.toMinutes) }) : wait.fromMinutes < 1 ? t('waitShort', { to: Math.max(1, wait.toMinutes) }) : t('wait', { from: wait.fromMinutes, to: wait.toMinutes })}</p>
        )}
        {queue.lateMinutes !== undefined && <p>{t('late', { count: queue.lateMinutes })}</p>}
        {!wait && !queue.hostOnline && before === 0 && <p>{t('waitUnknown')}</p>}
      </div>
      {queue.of <= drawn && (
        <ol className={styles.queue} aria-label={t('line', { position: queue.position, of: queue.of })}>
          {Array.from({ length: queue.of }, (_, i) => (
            <li key={i} className={i === before ? styles.me : undefined} aria-current={i === before || undefined}>
              {i === before ? t('you') : i + 1}
            </li>
          ))}
        </ol>
      )}
      <p className={queue.hostOnline ? styles.here : styles.soft}>{t(queue.hostOnline ? 'hostHere' : 'hostAway')}</p>
    </div>
  );
}
