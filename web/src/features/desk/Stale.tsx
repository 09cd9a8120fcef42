import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, sayTime } from '@/i18n/time';
import { Alert } from '@/ui/Alert';

/** The list in view is the last one received; it comes alive again by itself. */
export function Stale({ since }: { since: number }) {
  const t = useT('desk');
  const { language } = useLanguage();
  return (
    <Alert tone="warn" live>
      <p>{t('stale', { time: sayTime(new Date(since), clinicZone, language) })}</p>
    </Alert>
  );
}
