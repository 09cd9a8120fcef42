/** The check that makes itself when the card is opened early: nothing is said when all is well (B12, 4.1 step 2). */
import { useEffect, useState } from 'react';
import type { CheckKept } from '@/api/types';
import { useT } from '@/i18n/i18n';
import { Alert } from '@/ui/Alert';
import { fixesOf } from './checkRows';
import { checkSilently } from './ways';

/** The card is read first; then the network is tried. */
const calm = 1500;

export function DayBefore({ encounterId }: { encounterId: string }) {
  const t = useT('diagnostics');
  const [kept, setKept] = useState<CheckKept | null>(null);
  useEffect(() => {
    let gone = false;
    const timer = setTimeout(() => {
      void checkSilently(encounterId)
        .then((found) => !gone && setKept(found))
        .catch(() => undefined); // it was not asked for, and is tried again on the day
    }, calm);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [encounterId]);
  if (kept?.word !== 'bad') return null;
  const fixes = fixesOf(kept.result);
  const denied = kept.result.camera === 'denied' || kept.result.microphone === 'denied';
  return (
    <Alert tone="warn" title={t('before.title')} live>
      {fixes.map((f) => (
        <p key={f}>{t(`check.fix.${f}`)}</p>
      ))}
      {denied && <p>{t('before.denied')}</p>}
    </Alert>
  );
}
