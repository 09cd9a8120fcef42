/** The patient's documents, after a code: what was filed, by whom, where it went, who opened it. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import * as calls from '@/api/calls';
import { asProblem } from '@/api/client';
import { MyConsent } from '@/features/consent/ConsentProof';
import { useT } from '@/i18n/i18n';
import { Failure } from '@/ui/Alert';
import { Button, LinkButton } from '@/ui/Button';
import { Lines, Loading } from '@/ui/Loading';
import { PatientPage } from '@/ui/Page';
import { CodeStep } from './CodeStep';
import { DocumentList } from './DocumentList';

const MyStills = lazy(() => import('@/features/still/MyStills'));

export default function DocumentsPage() {
  const t = useT('documents');
  const me = useQuery({ queryKey: ['me'], queryFn: calls.me });
  const queries = useQueryClient();
  const leaving = useMutation({
    mutationFn: calls.signOut,
    onSuccess: () => queries.clear(),
  });
  if (leaving.isSuccess) {
    return (
      <PatientPage title={t('signedOut.title')}>
        <p>{t('signedOut.text')}</p>
      </PatientPage>
    );
  }
  if (me.isPending) {
    return (
      <PatientPage title={t('title')}>
        <Loading what={t('loading')} />
      </PatientPage>
    );
  }
  if (me.isError) {
    return (
      <PatientPage title={t('title')}>
        <Failure problem={asProblem(me.error)} retry={() => void me.refetch()} busy={me.isFetching} />
      </PatientPage>
    );
  }
  if (me.data.kind !== 'patient') {
    return (
      <PatientPage title={t('title')} action={<LinkButton to="/lien" wide>{t('lostLink')}</LinkButton>}>
        <p>{t('needLink')}</p>
      </PatientPage>
    );
  }
  if (me.data.level !== 'code') {
    return (
      <PatientPage title={t('title')} lead={<p>{t('code.lead')}</p>}>
        <CodeStep onOpened={(known) => queries.setQueryData(['me'], known)} />
      </PatientPage>
    );
  }
  return (
    <PatientPage title={t('title')} lead={<p>{me.data.patient?.displayName}</p>}>
      <Mine />
      <Suspense fallback={null}>
        <MyStills />
      </Suspense>
      {me.data.appointmentId && <MyConsent appointmentId={me.data.appointmentId} />}
      {leaving.isError && <Failure problem={asProblem(leaving.error)} retry={() => leaving.mutate()} busy={leaving.isPending} />}
      <div>
        <Button look="text" onPress={() => leaving.mutate()} busy={leaving.isPending}>
          {t('signOut')}
        </Button>
      </div>
    </PatientPage>
  );
}

function Mine() {
  const t = useT('documents');
  const mine = useQuery({
    queryKey: ['documents'],
    queryFn: () => calls.documents(),
    // A document signed a minute ago shows up by itself.
    refetchInterval: 20_000,
  });
  if (mine.isPending) {
    return (
      <Loading what={t('loading')}>
        <Lines count={3} tall />
      </Loading>
    );
  }
  if (mine.isError) return <Failure problem={asProblem(mine.error)} retry={() => void mine.refetch()} busy={mine.isFetching} />;
  if (mine.data.items.length === 0) {
    return (
      <section>
        <h2>{t('none.title')}</h2>
        <p>{t('none.text')}</p>
        <Button look="secondary" onPress={() => void mine.refetch()} busy={mine.isFetching}>
          {t('refresh')}
        </Button>
      </section>
    );
  }
  return <DocumentList items={mine.data.items} />;
}
