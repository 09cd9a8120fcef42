/**
 * The pages and the address of each. Every page is its own chunk, so that a
 * patient who opens a link loads nothing of the others.
 */
import { lazy } from 'react';
import { Route, Switch } from 'wouter';

const FindPage = lazy(() => import('@/features/booking/FindPage'));
const DoctorPage = lazy(() => import('@/features/booking/DoctorPage'));
const BookPage = lazy(() => import('@/features/booking/BookPage'));
const JoinPage = lazy(() => import('./JoinPage'));
const DocumentsPage = lazy(() => import('@/features/documents/DocumentsPage'));
const LostLinkPage = lazy(() => import('@/features/link/LostLinkPage'));
const VerifyPage = lazy(() => import('@/features/verify/VerifyPage'));
const CheckPage = lazy(() => import('@/features/consent/CheckPage'));
const NotFoundPage = lazy(() => import('./NotFoundPage'));
const ProRoutes = lazy(() => import('@/pro/ProRoutes'));

export function Routes() {
  return (
    <Switch>
      <Route path="/" component={FindPage} />
      <Route path="/medecins/:id" component={DoctorPage} />
      <Route path="/reserver" component={BookPage} />
      <Route path="/rdv" component={JoinPage} />
      <Route path="/documents" component={DocumentsPage} />
      <Route path="/lien" component={LostLinkPage} />
      <Route path="/v/:publicId" component={VerifyPage} />
      <Route path="/accord" component={CheckPage} />
      <Route path="/pro" component={ProRoutes} />
      <Route path="/pro/*?" component={ProRoutes} />
      <Route component={NotFoundPage} />
    </Switch>
  );
}
