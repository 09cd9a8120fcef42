import { useT } from '@/i18n/i18n';
import { Alert } from '@/ui/Alert';
import { PatientPage } from '@/ui/Page';
import styles from './SignInPage.module.css';

const causes = ['psc-unavailable', 'psc-cancelled', 'psc-expired', 'psc-unknown', 'throttled'] as const;

/** Why the server sent the person back here; what it does not name is a refusal. */
function causeOf(code: string): (typeof causes)[number] | 'psc-refused' {
  return causes.find((c) => c === code) ?? 'psc-refused';
}

/** Sign-in with Pro Santé Connect: a full navigation, the server answers with a redirect. */
export function SignInPage({ asPatient = false }: { asPatient?: boolean }) {
  const t = useT('pro');
  const back = encodeURIComponent(location.pathname.startsWith('/pro') ? location.pathname : '/pro');
  const refused = new URLSearchParams(location.search).get('error');
  return (
    <PatientPage title={t('signIn.title')} lead={<p>{t('signIn.lead')}</p>}>
      {asPatient && (
        <Alert tone="info">
          <p>{t('signIn.asPatient')}</p>
        </Alert>
      )}
      {refused !== null && (
        <Alert tone="warn" title={t(`signIn.${causeOf(refused)}`)} live>
          <p>{t(`signIn.${causeOf(refused)}.now`)}</p>
        </Alert>
      )}
      <a className={styles.psc} href={`/api/auth/psc/start?return=${back}`}>
        {t('signIn.psc')}
      </a>
      <p>{t('signIn.patient')}</p>
    </PatientPage>
  );
}
