/**
 * The pages and the address of each. Every page is its own chunk, so that a
 * patient who opens a link loads nothing of the others.
 */
import { lazy } from 'react';
import { Route, Switch } from 'wouter';

const FindPage = lazy(() => import('@/features/booking/FindPage'));
const NotFoundPage = lazy(() => import('./NotFoundPage'));
const ProRoutes = lazy(() => import('@/pro/ProRoutes'));

export function Routes() {
  return (
    <Switch>
      <Route path="/" component={FindPage} />
      <Route path="/pro" component={ProRoutes} />
      <Route path="/pro/*?" component={ProRoutes} />
      <Route component={NotFoundPage} />
    </Switch>
  );
}
