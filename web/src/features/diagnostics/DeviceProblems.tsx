import type { CallSnapshot, DeviceCause, DeviceKind } from '@rtc/api';
import { useT } from '@/i18n/i18n';
import { Alert } from '@/ui/Alert';
import { browserOf } from './browser';

export function problemsOf(devices: CallSnapshot['devices']): { kind: DeviceKind; cause: DeviceCause }[] {
  return (['microphone', 'camera'] as const).flatMap((kind) => {
    const status = devices[kind];
    return status.state === 'problem' ? [{ kind, cause: status.cause }] : [];
  });
}

/** A plain sentence for each device that does not work, and the fix for this browser. The same fix is said once. */
export function DeviceProblems({ devices }: { devices: CallSnapshot['devices'] }) {
  const t = useT('diagnostics');
  const found = problemsOf(devices);
  if (found.length === 0) return null;
  const { family } = browserOf(navigator.userAgent, navigator.maxTouchPoints);
  const fixes = new Set(found.map(({ cause }) => (cause === 'denied' ? t(`fix.denied.${family}`) : t(`fix.${cause}`))));
  return (
    <Alert tone="warn" title={found.map(({ kind, cause }) => t(`${kind}.${cause}`)).join(' ')} live>
      {[...fixes].map((fix) => (
        <p key={fix}>{fix}</p>
      ))}
    </Alert>
  );
}
