/** One alarm: who, what, how often, and what came of it. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState, type FormEvent } from 'react';
import { Link } from 'wouter';
import { asProblem, type Problem } from '@/api/client';
import * as desk from '@/api/desk';
import type { RefusalAlarm } from '@/api/deskTypes';
import { Desk } from '@/features/desk/Desk';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { address } from '@/features/desk/session';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, sayDateTime } from '@/i18n/time';
import { Alert } from '@/ui/Alert';
import { Button } from '@/ui/Button';
import { TextField } from '@/ui/Field';
import { Lines, Loading } from '@/ui/Loading';
import { Facts, useNow } from '@/ui/Page';
import { State } from '@/ui/State';
import { RefusalList } from './RefusalList';
import { sayAreas, sayKind, sayPerson } from './words';
import styles from './refusals.module.css';

export default function AlarmPage({ id }: { id: string }) {
  const t = useT('refusals');
  // Each reading is in the audit: not at every look at the window.
  const found = useQuery({ queryKey: ['refusal-alarm', id], queryFn: () => desk.refusalAlarm(id), refetchOnWindowFocus: false });
  return (
    <Desk title={found.data ? sayKind(t, found.data.kind) : t('title')}>
      <p>
        <Link href={address.refusals} className={styles.see ?? ''}>
          {t('back')}
        </Link>
      </p>
      {found.isPending && (
        <Loading what={t('loading')}>
          <Lines count={5} />
        </Loading>
      )}
      {found.isError && <DeskFailure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />}
      {found.data && <Detail alarm={found.data} />}
    </Desk>
  );
}

function Detail({ alarm: a }: { alarm: RefusalAlarm }) {
  const t = useT('refusals');
  const { language } = useLanguage();
  const now = useNow();
  const say = (at: string) => sayDateTime(at, now, clinicZone, language);
  return (
    <div className={styles.column}>
      <Facts
        items={[
          { label: t('detail.person'), value: sayPerson(t, a.person) },
          { label: t('detail.count'), value: t('counts', { refusals: a.refusals, count: a.objects }) },
          { label: t('detail.first'), value: say(a.beganAt) },
          { label: t('detail.last'), value: say(a.lastAt) },
          { label: t('detail.areas'), value: sayAreas(t, a.areas) },
        ]}
      />
      <p className={styles.soft}>{t('person.log', { pseudonym: a.person.pseudonym })}</p>
      <Settling alarm={a} />
      <section className={styles.column} aria-labelledby="refusals">
        <h2 id="refusals">{t('detail.list')}</h2>
        <RefusalList search={{ alarm: a.id }} />
      </section>
    </div>
  );
}

function Settling({ alarm: a }: { alarm: RefusalAlarm }) {
  const t = useT('refusals');
  const { language } = useLanguage();
  const now = useNow();
  const client = useQueryClient();
  const key = useRef(crypto.randomUUID());
  const [reason, setReason] = useState('');
  const [empty, setEmpty] = useState(false);
  const settle = useMutation<RefusalAlarm, Problem>({
    mutationFn: () => desk.settleAlarm(a.id, reason, key.current),
    onSuccess: (settled) => {
      client.setQueryData(['refusal-alarm', a.id], settled);
      void client.invalidateQueries({ queryKey: ['refusal-alarms'] });
    },
    // Somebody was faster: theirs is shown, and what was typed here stays.
    onError: (problem) => problem.status === 409 && void client.invalidateQueries({ queryKey: ['refusal-alarm', a.id] }),
  });
  const late = settle.error?.code === 'alarm-settled';
  if (a.state === 'settled') {
    return (
      <section className={styles.column}>
        <div role="status">
          <State tone="good">{t('settled.by', { name: a.settledBy ?? '', when: a.settledAt ? sayDateTime(a.settledAt, now, clinicZone, language) : '' })}</State>
        </div>
        <Facts items={[{ label: t('settle.reasonGiven'), value: a.reason ?? '' }]} />
        {late && (
          <Alert tone="warn" live>
            <p>{t('settle.late')}</p>
            <p className={styles.kept}>{reason}</p>
          </Alert>
        )}
      </section>
    );
  }
  if (a.own) {
    return (
      <Alert tone="info">
        <p>{t('settle.own')}</p>
      </Alert>
    );
  }
  return (
    <section className={styles.column} aria-labelledby="settle">
      <h2 id="settle">{t('settle.title')}</h2>
      <p>{t('settle.lead')}</p>
      <form
        className={styles.form}
        onSubmit={(e: FormEvent) => {
          e.preventDefault();
          setEmpty(reason.trim() === '');
          if (reason.trim() !== '') settle.mutate();
        }}
      >
        <TextField label={t('settle.reason')} name="reason" value={reason} onChange={setReason} rows={4} maxLength={1000} isRequired error={empty ? t('settle.required') : undefined} />
        {settle.error && !late && <DeskFailure problem={settle.error} />}
        <div>
          <Button type="submit" busy={settle.isPending}>
            {t('settle.save')}
          </Button>
        </div>
      </form>
    </section>
  );
}
