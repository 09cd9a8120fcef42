/** Entry of the professional's pages; each is a lazy chunk of its own. */
import { Route, Switch } from 'wouter';
import { SignInPage } from './SignInPage';

export default function ProRoutes() {
  return (
    <Switch>
      <Route component={SignInPage} />
    </Switch>
  );
}
