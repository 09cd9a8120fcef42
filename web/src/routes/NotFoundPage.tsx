import { useT } from '@/i18n/i18n';
import { LinkButton } from '@/ui/Button';
import { PatientPage } from '@/ui/Page';

export default function NotFoundPage() {
  const t = useT('app');
  return (
    <PatientPage title={t('notFound.title')} action={<LinkButton to="/" wide>{t('notFound.home')}</LinkButton>}>
      <p>{t('notFound.text')}</p>
      <LinkButton to="/lien" look="text">{t('notFound.lostLink')}</LinkButton>
    </PatientPage>
  );
}
