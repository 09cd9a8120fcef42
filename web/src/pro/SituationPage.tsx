/** Somebody who works at several places says which one it is today; the sign-in ends with the answer. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { Redirect } from 'wouter';
import * as calls from '@/api/calls';
import { asProblem, type Problem } from '@/api/client';
import type { Situation } from '@/api/types';
import { useT } from '@/i18n/i18n';
import { Failure } from '@/ui/Alert';
import { Lines, Loading } from '@/ui/Loading';
import { PatientPage } from '@/ui/Page';
import styles from './SituationPage.module.css';

export function SituationPage() {
  const t = useT('pro');
  const situations = useQuery({ queryKey: ['situations'], queryFn: calls.situations, retry: false, staleTime: Infinity });
  const choice = useMutation<{ to: string }, Problem, string>({
    mutationFn: calls.chooseSituation,
    // A new page: the desk opens as any sign-in lands on it.
    onSuccess: ({ to }) => location.assign(to),
  });
  const problem = choice.error ?? situations.error;
  if (problem && asProblem(problem).code === 'psc-expired') return <Redirect to="/pro?error=psc-expired" replace />;
  if (situations.isPending) {
    return (
      <PatientPage title={t('situation.title')}>
        <Loading what={t('situation.loading')}>
          <Lines count={3} />
        </Loading>
      </PatientPage>
    );
  }
  return (
    <PatientPage
      title={t('situation.title')}
      lead={
        <>
          {situations.data && <p>{t('situation.who', { name: situations.data.displayName })}</p>}
          <p>{t('situation.lead')}</p>
        </>
      }
    >
      {problem && (
        <Failure problem={asProblem(problem)} retry={() => (choice.error ? choice.reset() : void situations.refetch())} busy={situations.isFetching} />
      )}
      <ul className={styles.list}>
        {situations.data?.items.map((s) => (
          <li key={s.id}>
            <Place place={s} busy={choice.isPending || choice.isSuccess} choose={() => choice.mutate(s.id)} />
          </li>
        ))}
      </ul>
      <p>
        <a className={styles.again} href="/api/auth/psc/start?return=%2Fpro">
          {t('situation.again')}
        </a>
      </p>
    </PatientPage>
  );
}

function Place({ place, busy, choose }: { place: Situation; busy: boolean; choose: () => void }) {
  const what = [place.roleLabel, place.specialtyLabel, place.city].filter(Boolean).join(' · ');
  return (
    <button type="button" className={styles.place} aria-disabled={busy} onClick={() => !busy && choose()}>
      <strong>{place.organizationName}</strong>
      <span className={styles.what}>{what}</span>
    </button>
  );
}
