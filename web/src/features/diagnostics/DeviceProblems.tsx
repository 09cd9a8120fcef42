import type { CallSnapshot } from '@rtc/api';
import { useT } from '@/i18n/i18n';
import { Alert } from '@/ui/Alert';
import { browserOf } from './browser';
import { fixOf, problemsOf } from './problems';

/** A plain sentence for each device that does not work, and the fix for this browser. The same fix is said once. */
export function DeviceProblems({ devices }: { devices: CallSnapshot['devices'] }) {
  const t = useT('diagnostics');
  const found = problemsOf(devices);
  if (found.length === 0) return null;
  const browser = browserOf(navigator.userAgent, navigator.maxTouchPoints);
  const fixes = new Set(found.map(({ cause }) => t(fixOf(cause, browser))));
  return (
    <Alert tone="warn" title={found.map(({ kind, cause }) => t(`${kind}.${cause}`)).join(' ')} live>
      {[...fixes].map((fix) => (
        <p key={fix}>{fix}</p>
      ))}
    </Alert>
  );
}
