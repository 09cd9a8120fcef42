/** Second factor: choose where the code goes, then type its six digits. */
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import * as calls from '@/api/calls';
import { asProblem, type Problem } from '@/api/client';
import type { CodeSent, Me } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayTime, visitorZone } from '@/i18n/time';
import { AgainButton, againFrom } from '@/ui/Again';
import { Failure } from '@/ui/Alert';
import { Button } from '@/ui/Button';
import { Choice, TextField } from '@/ui/Field';
import styles from './documents.module.css';

export function CodeStep({ onOpened }: { onOpened: (me: Me) => void }) {
  const t = useT('documents');
  const [channel, setChannel] = useState<'sms' | 'email'>('sms');
  const sending = useMutation<CodeSent, Problem>({ mutationFn: () => calls.sendCode(channel) });
  if (sending.data) return <Digits sent={sending.data} open={t('code.open')} onOpened={onOpened} again={() => sending.reset()} />;
  return (
    <form
      className={styles.form}
      onSubmit={(e) => {
        e.preventDefault();
        sending.mutate();
      }}
    >
      <Choice
        legend={t('code.how')}
        name="channel"
        value={channel}
        onChange={(v) => setChannel(v === 'email' ? 'email' : 'sms')}
        options={[
          { value: 'sms', label: t('code.sms') },
          { value: 'email', label: t('code.email') },
        ]}
      />
      {sending.isError && <Failure problem={asProblem(sending.error)} retry={() => sending.mutate()} busy={sending.isPending} />}
      <Button type="submit" wide busy={sending.isPending}>
        {t('code.send')}
      </Button>
    </form>
  );
}

/** Six digits; `open` is the button that says what they open. */
export function Digits({ sent, open, onOpened, again }: { sent: CodeSent; open: string; onOpened: (me: Me) => void; again: () => void }) {
  const t = useT('documents');
  const { language } = useLanguage();
  const [code, setCode] = useState('');
  const [short, setShort] = useState(false);
  const [from] = useState(() => againFrom(sent.againAfter));
  const time = (at: string) => sayTime(at, visitorZone(), language);
  const checking = useMutation<Me, Problem, string>({ mutationFn: calls.verifyCode, onSuccess: onOpened });
  const problem = checking.error ? asProblem(checking.error) : null;
  const remaining = problem?.code === 'code-wrong' ? Number(problem.extra.remaining) : Number.NaN;
  const submit = (digits: string) => {
    setShort(digits.length !== 6);
    if (digits.length === 6 && !checking.isPending) checking.mutate(digits);
  };
  const change = (text: string) => {
    const digits = text.replace(/\D/g, '').slice(0, 6);
    setCode(digits);
    setShort(false);
    checking.reset();
  };
  let wrong: string | undefined;
  if (short) wrong = t('code.six');
  else if (Number.isFinite(remaining)) wrong = t('code.wrong', { count: remaining });
  return (
    <form
      className={styles.form}
      noValidate
      onSubmit={(e) => {
        e.preventDefault();
        submit(code);
      }}
    >
      <p role="status">
        {sent.sent
          ? t(sent.channel === 'sms' ? 'code.sentSms' : 'code.sentEmail', { hint: sent.hint })
          : t(sent.channel === 'sms' ? 'code.beforeSms' : 'code.beforeEmail', { hint: sent.hint, time: time(sent.sentAt) })}{' '}
        {t('code.until', { time: time(sent.expiresAt) })}
      </p>
      <TextField
        label={t('code.label')}
        name="code"
        value={code}
        onChange={change}
        inputMode="numeric"
        autoComplete="one-time-code"
        autoFocus
        error={wrong}
      />
      {problem && !Number.isFinite(remaining) && <Failure problem={problem} retry={() => submit(code)} busy={checking.isPending} />}
      <Button type="submit" wide busy={checking.isPending}>
        {open}
      </Button>
      <AgainButton
        from={from}
        waits={(seconds) => (seconds <= 90 ? t('code.againIn', { count: seconds }) : t('code.againAt', { time: time(new Date(from).toISOString()) }))}
        onPress={again}
      >
        {t('code.again')}
      </AgainButton>
    </form>
  );
}
