import { useT } from '@/i18n/i18n';
import { PatientPage } from '@/ui/Page';
import styles from './SignInPage.module.css';

/** Sign-in with Pro Santé Connect: a full navigation, the server answers with a redirect. */
export function SignInPage() {
  const t = useT('pro');
  const back = encodeURIComponent(location.pathname.startsWith('/pro') ? location.pathname : '/pro');
  return (
    <PatientPage title={t('signIn.title')} lead={<p>{t('signIn.lead')}</p>}>
      <a className={styles.psc} href={`/api/auth/psc/start?return=${back}`}>
        {t('signIn.psc')}
      </a>
      <p>{t('signIn.patient')}</p>
    </PatientPage>
  );
}
