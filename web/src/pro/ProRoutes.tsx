/** Entry of the professional's pages; each is a lazy chunk of its own. */
import { lazy, Suspense, useEffect, type ReactNode } from 'react';
import { Redirect, Route, Switch, useLocation } from 'wouter';
import { asProblem } from '@/api/client';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { address, placesOf, StaffContext, useMe, useStaff, type Place } from '@/features/desk/session';
import { useT } from '@/i18n/i18n';
import { Lines, Loading } from '@/ui/Loading';
import { PatientPage } from '@/ui/Page';
import { SignInPage } from './SignInPage';
import { SituationPage } from './SituationPage';

const DayPage = lazy(() => import('@/features/desk/DayPage'));
const AgendaPage = lazy(() => import('@/features/agenda/AgendaPage'));
const EncounterPage = lazy(() => import('@/features/encounter/EncounterPage'));
const PatientsPage = lazy(() => import('@/features/patients/PatientsPage'));
const QualityPage = lazy(() => import('@/features/quality/QualityPage'));
const RefusalsPage = lazy(() => import('@/features/refusals/RefusalsPage'));
const AlarmPage = lazy(() => import('@/features/refusals/AlarmPage'));
const PostPage = lazy(() => import('@/features/deliveries/PostPage'));

export default function ProRoutes() {
  const t = useT('desk');
  const who = useMe();
  const signedIn = Boolean(who.data?.staff);
  const [path] = useLocation();
  // On the body, so that dialogs and menus, which live outside the page, have the desk's sizes too.
  useEffect(() => {
    document.body.classList.toggle('desk', signedIn);
    return () => document.body.classList.remove('desk');
  }, [signedIn]);
  if (path === '/pro/situation') return <SituationPage />;
  if (who.data?.staff) {
    return (
      <StaffContext value={who.data.staff}>
        <Suspense fallback={<Opening what={t('loading')} />}>
          <Pages />
        </Suspense>
      </StaffContext>
    );
  }
  if (who.isPending) return <Opening what={t('loading')} />;
  const problem = who.error ? asProblem(who.error) : null;
  if (problem && problem.status !== 401) {
    return (
      <main className="desk" style={{ maxWidth: '36rem', margin: '3rem auto', padding: '0 1rem' }}>
        <DeskFailure problem={problem} retry={() => void who.refetch()} busy={who.isFetching} />
      </main>
    );
  }
  return <SignInPage asPatient={who.data?.kind === 'patient'} />;
}

function Opening({ what }: { what: string }) {
  return (
    <main className="desk" style={{ maxWidth: '80rem', margin: '5rem auto', padding: '0 1rem' }}>
      <Loading what={what}>
        <Lines count={6} />
      </Loading>
    </main>
  );
}

function Pages() {
  const staff = useStaff();
  const home = placesOf(staff)[0];
  if (!home) return <NoPlace />;
  return (
    <Switch>
      <Route path="/pro">{home === 'day' ? <DayPage /> : <Redirect to={address[home]} replace />}</Route>
      <Route path="/pro/agenda">
        <Only place="agenda">
          <AgendaPage />
        </Only>
      </Route>
      <Route path="/pro/patients">
        <Only place="patients">
          <PatientsPage />
        </Only>
      </Route>
      <Route path="/pro/a-poster">
        <Only place="post">
          <PostPage />
        </Only>
      </Route>
      <Route path="/pro/acces-refuses">
        <Only place="refusals">
          <RefusalsPage />
        </Only>
      </Route>
      <Route path="/pro/acces-refuses/:id">
        {({ id }) => (
          <Only place="refusals">
            <AlarmPage key={id} id={id} />
          </Only>
        )}
      </Route>
      <Route path="/pro/encounters/:id/qualite">{({ id }) => <QualityPage key={id} encounterId={id} />}</Route>
      <Route path="/pro/encounters/:id">
        {({ id }) => (
          <Only place="day">
            <EncounterPage key={id} encounterId={id} />
          </Only>
        )}
      </Route>
      <Route>
        <Redirect to="/pro" replace />
      </Route>
    </Switch>
  );
}

/** A page that the role does not have leads to the role's own home: nothing to learn from the address. */
function Only({ place, children }: { place: Place; children: ReactNode }) {
  const staff = useStaff();
  return placesOf(staff).includes(place) ? children : <Redirect to="/pro" replace />;
}

function NoPlace() {
  const t = useT('desk');
  return (
    <PatientPage title={t('noPlace.title')}>
      <p>{t('noPlace.text')}</p>
    </PatientPage>
  );
}
