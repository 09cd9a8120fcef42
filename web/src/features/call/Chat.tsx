/** Written messages of the act: read in order, sent with Enter, never lost while the connection is away. */
import type { Call, CallSnapshot, PendingMessage } from '@rtc/api';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayTime, visitorZone } from '@/i18n/time';
import { Button } from '@/ui/Button';
import { TextField } from '@/ui/Field';
import { roleWord } from './people';
import styles from './call.module.css';

type Props = {
  snapshot: Pick<CallSnapshot, 'chat' | 'chatPending' | 'me' | 'seats'>;
  call: Pick<Call, 'say' | 'sayAgain' | 'forgetMessage'>;
  onClose?: () => void;
  /** Whoever opened it with a keyboard writes at once. */
  autoFocus?: boolean;
};

// Of a host who may write to one person, and of who wrote too much: few people load them.
const ChatRecipient = lazy(() => import('./ChatExtras').then((m) => ({ default: m.ChatRecipient })));
const ChatRefused = lazy(() => import('./ChatExtras').then((m) => ({ default: m.ChatRefused })));

/** Signs a message may have (docs/signaling.md §5). */
const longest = 2000;

export function Chat({ snapshot, call, onClose, autoFocus = false }: Props) {
  const t = useT('call');
  const { language } = useLanguage();
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState('');
  const list = useRef<HTMLDivElement>(null);
  const mine = snapshot.me?.seat;
  const count = snapshot.chat.length + snapshot.chatPending.length;
  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [count]);
  const others = apart(snapshot);
  const to = others.some((s) => s.seat === chosen) ? chosen : '';
  const tooLong = [...text].length > longest;
  const send = () => {
    if (!tooLong && call.say(text.trim(), to || undefined)) setText('');
  };
  return (
    <section className={styles.chat} aria-label={t('chat')}>
      <header className={styles.chatTop}>
        <h2>{t('chat')}</h2>
        {onClose && (
          <Button look="text" onPress={onClose}>
            {t('chat.close')}
          </Button>
        )}
      </header>
      <div ref={list} role="log" tabIndex={0} aria-label={t('chat')} className={styles.scroll}>
        {count === 0 && <p className={styles.note}>{t('chat.empty')}</p>}
        <ol className={styles.messages}>
        {snapshot.chat.map((m) => (
          <li key={`${m.from}${m.id}`} className={m.from === mine ? styles.mine : undefined}>
            <span className={styles.note}>
              {m.from === mine ? t('chat.me') : `${m.name}, ${t(`role.${roleWord(m.role)}`)}`}, {sayTime(m.at, visitorZone(), language)}
              {m.to && (m.to === mine ? `, ${t('chat.toMe')}` : `, ${t('chat.toName', { name: m.toName ?? '' })}`)}
            </span>
            <span className={styles.message}>{m.text}</span>
          </li>
        ))}
        {snapshot.chatPending.map((m) => (
          <Pending key={m.id} message={m} call={call} />
        ))}
        </ol>
      </div>
      <form
        className={styles.write}
        onSubmit={(e) => {
          e.preventDefault();
          send();
        }}
      >
        {others.length > 0 && (
          <Suspense fallback={null}>
            <ChatRecipient others={others} value={to} onChange={setChosen} />
          </Suspense>
        )}
        <TextField label={t('chat.write')} name="message" value={text} onChange={setText} autoComplete="off" autoFocus={autoFocus} error={tooLong ? t('chat.long') : undefined} />
        <Button type="submit" isDisabled={text.trim() === '' || tooLong}>
          {t('chat.send')}
        </Button>
      </form>
    </section>
  );
}

/** A message that the server does not have: on its way, or not kept and why. */
function Pending({ message, call }: { message: PendingMessage; call: Props['call'] }) {
  const t = useT('call');
  const { refused } = message;
  return (
    <li className={styles.mine}>
      <span className={styles.note}>
        {t('chat.me')}, {refused ? t('chat.refused') : t('chat.sending')}
      </span>
      <span className={styles.message}>{message.text}</span>
      {refused && (
        <Suspense fallback={null}>
          <ChatRefused message={message} refused={refused} call={call} />
        </Suspense>
      )}
    </li>
  );
}

/** Whom a host can write to alone: those who wait or are on hold while others are in the call. */
export function apart({ me, seats }: Pick<CallSnapshot, 'me' | 'seats'>) {
  const guests = seats.filter((s) => !s.host && s.role !== 'device');
  const inCall = guests.some((s) => s.state === 'admitted' && !s.held);
  if (!me?.host || !inCall) return [];
  return guests.filter((s) => s.state === 'waiting' || (s.state === 'admitted' && s.held));
}
