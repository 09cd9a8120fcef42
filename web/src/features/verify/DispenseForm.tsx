import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import * as calls from '@/api/calls';
import { asProblem, newIntention } from '@/api/client';
import { useT } from '@/i18n/i18n';
import { Failure } from '@/ui/Alert';
import { useAnnounce } from '@/ui/Announcer';
import { Button } from '@/ui/Button';
import { Choice as Choices, Select, TextField } from '@/ui/Field';
import type { AtCounter } from './CounterSection';
import { given, left, linesDue, nameOf, renewalsDue, type Choice } from './counter';
import styles from './verify.module.css';

/** One dispensing: each line in full, in part or not this time; the renewal that comes next unless said otherwise. */
export function DispenseForm({ publicId, code, verification: v, onChange }: AtCounter) {
  const t = useT('verify');
  const announce = useAnnounce();
  const counter = v.dispensing!;
  const lines = v.lines ?? [];
  const due = renewalsDue(counter);
  const [renewal, setRenewal] = useState(due.includes(counter.renewal) ? counter.renewal : (due[0] ?? 0));
  const [choices, setChoices] = useState<ReadonlyMap<number, Choice>>(new Map());
  const [intention, setIntention] = useState(newIntention);
  const [empty, setEmpty] = useState(false);
  const record = useMutation({
    mutationFn: () => calls.dispense(publicId, { code, renewal, lines: given(counter, lines, renewal, choices) }, counter.etag ?? '', intention),
    onSuccess: (next) => {
      announce(t('counter.done'));
      onChange(next);
    },
    onError: (cause) => {
      const { status } = asProblem(cause);
      if (status >= 400 && status < 500) setIntention(newIntention()); // refused: the next try is another one
    },
  });
  const reread = useMutation({ mutationFn: () => calls.openVerification(publicId, code), onSuccess: onChange });
  const problem = record.error ? asProblem(record.error) : undefined;
  const sent = given(counter, lines, renewal, choices);
  const choose = (line: number, choice: Choice) => {
    setEmpty(false);
    record.reset();
    setChoices(new Map(choices).set(line, choice));
  };
  const wrong = (line: number) => {
    const at = sent.findIndex((g) => g.line === line);
    const found = problem?.fields.find((f) => f.name.startsWith(`lines[${at}]`));
    return found && (found.detail || found.code);
  };
  const submit = () => {
    setEmpty(sent.length === 0);
    if (sent.length > 0) record.mutate();
  };
  return (
    <form
      className={styles.form}
      noValidate
      onSubmit={(e) => {
        e.preventDefault();
        submit();
      }}
    >
      {due.length > 1 && (
        <Select
          label={t('counter.which')}
          name="renewal"
          value={String(renewal)}
          onChange={(r) => setRenewal(Number(r))}
          options={due.map((r) => ({ value: String(r), label: r === 0 ? t('counter.first') : t('counter.renewal', { n: r }) }))}
        />
      )}
      {linesDue(counter, renewal).map((line) => (
        <OneLine
          key={line}
          line={line}
          name={nameOf(lines[line])}
          left={left(counter, lines, line, renewal)}
          choice={choices.get(line) ?? { extent: 'full', quantity: '' }}
          onChange={(c) => choose(line, c)}
          error={wrong(line)}
        />
      ))}
      {empty && <p role="alert" className={styles.error}>{t('counter.nothing')}</p>}
      {problem && problem.fields.length === 0 && <Failure problem={problem} />}
      {problem?.status === 409 ? (
        <Button look="secondary" wide onPress={() => reread.mutate()} busy={reread.isPending}>
          {t('counter.reread')}
        </Button>
      ) : (
        <Button type="submit" wide busy={record.isPending}>
          {t('counter.record')}
        </Button>
      )}
    </form>
  );
}

type OneLineProps = { line: number; name: string; left: number | undefined; choice: Choice; onChange: (c: Choice) => void; error: string | undefined };

function OneLine({ line, name, left: rest, choice, onChange, error }: OneLineProps) {
  const t = useT('verify');
  return (
    <div className={styles.one}>
      <Choices
        legend={name}
        name={`extent-${line}`}
        value={choice.extent}
        onChange={(extent) => onChange({ ...choice, extent: extent as Choice['extent'] })}
        options={[
          { value: 'full', label: t('counter.full') },
          { value: 'partial', label: t('counter.partial') },
          { value: 'skip', label: t('counter.skip') },
        ]}
      />
      {choice.extent !== 'partial' && error && <p role="alert" className={styles.error}>{error}</p>}
      {choice.extent === 'partial' && (
        <TextField
          label={t('counter.quantity', { name })}
          name="quantity"
          value={choice.quantity}
          onChange={(quantity) => onChange({ ...choice, quantity })}
          inputMode="numeric"
          maxLength={3}
          error={error}
          {...(rest === undefined ? {} : { hint: t('counter.left', { n: rest }) })}
        />
      )}
    </div>
  );
}
