/** Written messages of the act: read in order, sent with Enter, never lost while the connection is away. */
import type { CallSnapshot } from '@rtc/api';
import { useEffect, useRef, useState } from 'react';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayTime, visitorZone } from '@/i18n/time';
import { Button } from '@/ui/Button';
import { TextField } from '@/ui/Field';
import { roleWord } from './people';
import styles from './call.module.css';

type Props = {
  snapshot: Pick<CallSnapshot, 'chat' | 'chatPending' | 'me'>;
  say: (text: string) => boolean;
  onClose?: () => void;
  /** Whoever opened it with a keyboard writes at once. */
  autoFocus?: boolean;
};

/** Signs a message may have (docs/signaling.md §5). */
const longest = 2000;

export function Chat({ snapshot, say, onClose, autoFocus = false }: Props) {
  const t = useT('call');
  const { language } = useLanguage();
  const [text, setText] = useState('');
  const list = useRef<HTMLDivElement>(null);
  const mine = snapshot.me?.seat;
  const count = snapshot.chat.length + snapshot.chatPending.length;
  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [count]);
  const tooLong = [...text].length > longest;
  const send = () => {
    if (!tooLong && say(text.trim())) setText('');
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
            </span>
            <span className={styles.message}>{m.text}</span>
          </li>
        ))}
        {snapshot.chatPending.map((m) => (
          <li key={m.id} className={styles.mine}>
            <span className={styles.note}>
              {t('chat.me')}, {t('chat.sending')}
            </span>
            <span className={styles.message}>{m.text}</span>
          </li>
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
        <TextField label={t('chat.write')} name="message" value={text} onChange={setText} autoComplete="off" autoFocus={autoFocus} error={tooLong ? t('chat.long') : undefined} />
        <Button type="submit" isDisabled={text.trim() === '' || tooLong}>
          {t('chat.send')}
        </Button>
      </form>
    </section>
  );
}
