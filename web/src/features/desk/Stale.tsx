import type { Problem } from '@/api/client';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, sayTime } from '@/i18n/time';
import { Alert } from '@/ui/Alert';
import { useOnline } from '@/ui/online';
import { DeskFailure } from './DeskFailure';

/** The list in view is the last one received; it comes alive again by itself, unless the session has ended. */
export function Stale({ since, problem }: { since: number; problem: Problem }) {
  const t = useT('desk');
  const { language } = useLanguage();
  const online = useOnline();
  if (problem.status === 401) return <DeskFailure problem={problem} />;
  // Without a network the page's own band says it already.
  if (!online) return null;
  return (
    <Alert tone="warn" live>
      <p>{t('stale', { time: sayTime(new Date(since), clinicZone, language) })}</p>
    </Alert>
  );
}
