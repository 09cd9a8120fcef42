/**
 * The page behind the link a patient receives: /rdv#token. The token is read
 * once, taken out of the address bar, exchanged for a session cookie, and kept
 * only in memory (to help someone move the link to another browser).
 */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useState } from 'react';
import * as calls from '@/api/calls';
import { asProblem, newIntention, type Problem } from '@/api/client';
import type { Me } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayDateTime, visitorZone } from '@/i18n/time';
import { Failure } from '@/ui/Alert';
import { LinkButton } from '@/ui/Button';
import { Lines, Loading } from '@/ui/Loading';
import { PatientPage } from '@/ui/Page';
import { stripToken, tokenOf } from '@/features/waiting/token';
import { Visit } from '@/features/waiting/Visit';

const AttendPage = lazy(() => import('@/features/companion/AttendPage'));

export default function JoinPage() {
  const [token, setToken] = useState(() => tokenOf(location.hash));
  useEffect(() => {
    stripToken();
    // The same tab may be given another link.
    const changed = () => {
      const next = tokenOf(location.hash);
      stripToken();
      if (next) setToken(next);
    };
    window.addEventListener('hashchange', changed);
    return () => window.removeEventListener('hashchange', changed);
  }, []);
  return (
    <Suspense fallback={null}>
      <Opening key={token} token={token} />
    </Suspense>
  );
}

function Opening({ token }: { token: string | null }) {
  const t = useT('join');
  const queries = useQueryClient();
  // Each opening is its own entry, so that another link never shows what the one before gave.
  // The token itself is no key: keys may be logged by tools.
  const [opening] = useState(newIntention);
  const opened = useQuery<Me>({
    queryKey: ['join', opening],
    queryFn: async () => {
      const me = token === null ? await calls.me() : await calls.openLink(token);
      queries.setQueryData(['me'], me);
      return me;
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  if (opened.isPending) {
    return (
      <PatientPage title={t('title')}>
        <Loading what={t('opening')}>
          <Lines count={5} />
        </Loading>
      </PatientPage>
    );
  }
  if (opened.isError) return <NotOpened problem={asProblem(opened.error)} retry={() => void opened.refetch()} busy={opened.isFetching} />;
  const me = opened.data;
  if (me.kind === 'companion') return <AttendPage link={token} />;
  if (me.kind !== 'patient' || !me.appointmentId) return <NoLink />;
  return <Visit me={me} appointmentId={me.appointmentId} link={token} />;
}

function NoLink() {
  const t = useT('join');
  return (
    <PatientPage title={t('noLink.title')} action={<LinkButton to="/lien" wide>{t('lost')}</LinkButton>}>
      <p>{t('noLink.text')}</p>
    </PatientPage>
  );
}

function NotOpened({ problem, retry, busy }: { problem: Problem; retry: () => void; busy: boolean }) {
  const t = useT('join');
  const { language } = useLanguage();
  const from = ['opensAt', 'notBefore', 'from', 'at'].map((k) => problem.extra[k]).find((v): v is string => typeof v === 'string');
  if (problem.status === 401) return <NoLink />;
  return (
    <PatientPage
      title={t('title')}
      action={problem.status === 404 || problem.status === 410 ? <LinkButton to="/lien" wide>{t('lost')}</LinkButton> : undefined}
    >
      <Failure problem={problem} retry={retry} busy={busy} />
      {problem.code === 'link-not-yet' && from && <p>{t('notYet', { when: sayDateTime(from, new Date(), visitorZone(), language) })}</p>}
    </PatientPage>
  );
}
