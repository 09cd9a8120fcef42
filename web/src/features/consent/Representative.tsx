/** Who agrees for a minor: a representative on file, to whom a code is sent. Nothing that is typed here names them (CSP L1111-2, Code civil 371-1). */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import * as calls from '@/api/calls';
import { asProblem, type Problem } from '@/api/client';
import type { CodeSent, Me } from '@/api/types';
import { Digits } from '@/features/documents/CodeStep';
import { useT } from '@/i18n/i18n';
import { Alert, Failure } from '@/ui/Alert';
import { Button } from '@/ui/Button';
import { Choice } from '@/ui/Field';
import styles from './consent.module.css';

type Patient = NonNullable<Me['patient']>;
export type OnFile = NonNullable<Patient['representatives']>[number];
type Way = { value: string; channel: 'sms' | 'email'; of: OnFile };

/** Every way to reach each representative, in the order of the file. */
export function waysTo(list: readonly OnFile[]): Way[] {
  return list.flatMap((of) => [
    ...(of.smsHint ? [{ value: `${of.reference}.sms`, channel: 'sms' as const, of }] : []),
    ...(of.emailHint ? [{ value: `${of.reference}.email`, channel: 'email' as const, of }] : []),
  ]);
}

/** Asks for the code of a representative; says what happens when nobody is on file. */
export default function ChooseRepresentative({ patient, onProven }: { patient: Patient; onProven: () => void }) {
  const t = useT('representative');
  const queries = useQueryClient();
  const ways = waysTo(patient.representatives ?? []);
  const [value, setValue] = useState(ways[0]?.value ?? '');
  const way = ways.find((w) => w.value === value);
  const sending = useMutation<CodeSent, Problem, Way>({ mutationFn: (w) => calls.sendCode(w.channel, w.of.reference) });
  const opened = (me: Me) => {
    queries.setQueryData(['me'], me);
    onProven();
  };
  if (ways.length === 0) {
    return (
      <Alert tone="info" title={t('nobody.title', { name: patient.displayName })}>
        <p>{t('nobody.text')}</p>
      </Alert>
    );
  }
  if (sending.data) return <Digits sent={sending.data} open={t('code.open')} onOpened={opened} again={() => sending.reset()} />;
  return (
    <form
      className={styles.answer}
      onSubmit={(e) => {
        e.preventDefault();
        if (way) sending.mutate(way);
      }}
    >
      <p>{t('minor', { name: patient.displayName })}</p>
      <Choice
        legend={t('who')}
        name="representative"
        value={value}
        onChange={setValue}
        options={ways.map((w) => ({
          value: w.value,
          label: t(`relation.${w.of.relation}`),
          detail: w.channel === 'sms' ? t('way.sms', { hint: w.of.smsHint ?? '' }) : t('way.email', { hint: w.of.emailHint ?? '' }),
        }))}
      />
      {sending.isError && <Failure problem={asProblem(sending.error)} retry={() => way && sending.mutate(way)} busy={sending.isPending} />}
      <Button type="submit" wide busy={sending.isPending}>
        {t('code.send')}
      </Button>
    </form>
  );
}
