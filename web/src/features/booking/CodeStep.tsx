/** The code that proves the telephone or the mailbox, then the booking in one step. */
import { useState } from 'react';
import type { Problem } from '@/api/client';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayTime, visitorZone } from '@/i18n/time';
import { AgainButton } from '@/ui/Again';
import { Alert, Failure } from '@/ui/Alert';
import { Button } from '@/ui/Button';
import { TextField } from '@/ui/Field';
import type { Proof } from './kept';
import styles from './booking.module.css';

/** Digits of a code. */
const length = 8;

type Props = {
  proof: Proof;
  when: string;
  /** The other way to get a code, when the person gave both contacts. */
  other: 'sms' | 'email' | null;
  problem: Problem | null;
  busy: boolean;
  resent: boolean;
  phone: string | undefined;
  onCode: (code: string) => void;
  onAgain: (channel: 'sms' | 'email') => void;
  onCorrect: () => void;
};

export function CodeStep({ proof, when, other, problem, busy, resent, phone, onCode, onAgain, onCorrect }: Props) {
  const t = useT('booking');
  const { language } = useLanguage();
  const time = (at: string) => sayTime(at, visitorZone(), language);
  const [code, setCode] = useState('');
  const [short, setShort] = useState(false);
  const submit = () => {
    const ready = proof.proven || code.length === length;
    setShort(!ready);
    if (ready && !busy) onCode(code);
  };
  let error: string | undefined;
  if (short) error = t('code.digits');
  else if (problem?.code === 'code-wrong') error = [problem.title, problem.detail].filter(Boolean).join('. ') || t('code.digits');
  return (
    <form
      className={styles.form}
      noValidate
      onSubmit={(e) => {
        e.preventDefault();
        submit();
      }}
    >
      {proof.proven ? (
        <p role="status">{t('code.proven')}</p>
      ) : (
        <>
          <p role="status">
            {proof.sent
              ? t(proof.channel === 'sms' ? 'code.sentSms' : 'code.sentEmail', { hint: proof.hint })
              : t(proof.channel === 'sms' ? 'code.beforeSms' : 'code.beforeEmail', { hint: proof.hint, time: time(proof.sentAt) })}
          </p>
          <TextField
            label={t('code.label')}
            name="code"
            value={code}
            onChange={(text) => {
              setCode(text.replace(/\D/g, '').slice(0, length));
              setShort(false);
            }}
            inputMode="numeric"
            autoComplete="one-time-code"
            autoFocus
            error={error}
          />
        </>
      )}
      {problem && problem.code !== 'code-wrong' && (
        <>
          <Failure problem={problem} kept={t('book.kept')} retry={submit} busy={busy} />
          {(problem.status === 429 || problem.code === 'codes-not-sent') && <CallUs phone={phone} />}
        </>
      )}
      {resent && !problem && <Alert tone="info" title={t('code.resent')} live />}
      <Button type="submit" wide busy={busy}>
        {t('book.confirm', { when })}
      </Button>
      {!proof.proven && (
        <>
          <p className={styles.soft}>{t('code.late')}</p>
          <AgainButton
            from={proof.againFrom}
            waits={(seconds) => (seconds <= 90 ? t('code.againIn', { count: seconds }) : t('code.againAt', { time: time(new Date(proof.againFrom).toISOString()) }))}
            onPress={() => onAgain(proof.channel)}
          >
            {t('code.again')}
          </AgainButton>
          {other && (
            <Button look="text" onPress={() => onAgain(other)}>
              {t(other === 'sms' ? 'code.bySms' : 'code.byEmail')}
            </Button>
          )}
        </>
      )}
      <Button look="text" onPress={onCorrect}>
        {t('code.correct')}
      </Button>
    </form>
  );
}

/** The telephone of the practice, to be called from this page. */
export function CallUs({ phone }: { phone: string | undefined }) {
  const t = useT('booking');
  if (!phone) return null;
  return (
    <p>
      <a href={`tel:${phone}`}>{t('code.call', { phone: spaced(phone) })}</a>
    </p>
  );
}

/** +33142000000 as people write it: 01 42 00 00 00. Other countries stay as they are. */
export function spaced(phone: string): string {
  const national = /^\+33(\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(phone);
  return national ? `0${national.slice(1).join(' ')}` : phone;
}
