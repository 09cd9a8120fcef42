/** Parts of the chat that few people meet: writing to one person, and a message that the server did not keep. */
import type { Call, CallSnapshot, PendingMessage } from '@rtc/api';
import { useT } from '@/i18n/i18n';
import { Button } from '@/ui/Button';
import { Select } from '@/ui/Field';
import styles from './call.module.css';

type RecipientProps = { others: CallSnapshot['seats']; value: string; onChange: (seat: string) => void };

/** For a host: everybody in the call, or one person who waits or is on hold. */
export function ChatRecipient({ others, value, onChange }: RecipientProps) {
  const t = useT('chat');
  return (
    <Select
      label={t('to')}
      name="to"
      value={value}
      onChange={onChange}
      options={[{ value: '', label: t('toCall') }, ...others.map((s) => ({ value: s.seat, label: t(s.held ? 'toHeld' : 'toWaiting', { name: s.name }) }))]}
    />
  );
}

const reasons: Record<string, 'full' | 'gone'> = { chat_full: 'full', not_found: 'gone' };

type RefusedProps = { message: PendingMessage; refused: NonNullable<PendingMessage['refused']>; call: Pick<Call, 'sayAgain' | 'forgetMessage'> };

/** Why a message was not kept, and what to do with it. */
export function ChatRefused({ message, refused, call }: RefusedProps) {
  const t = useT('chat');
  return (
    <>
      <span className={styles.refused} role="alert">
        {refused.code === 'chat_too_fast' ? t('tooFast', { count: refused.seconds ?? 60 }) : t(reasons[refused.code] ?? 'notKept')}
      </span>
      <span className={styles.again}>
        {refused.code !== 'chat_full' && (
          <Button look="text" onPress={() => call.sayAgain(message.id)}>
            {t('again')}
          </Button>
        )}
        <Button look="text" onPress={() => call.forgetMessage(message.id)}>
          {t('forget')}
        </Button>
      </span>
    </>
  );
}
