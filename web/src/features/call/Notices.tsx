/** One sentence over the picture when something is not as it should be, with what to do. */
import type { Call, CallSnapshot } from '@rtc/api';
import { useT } from '@/i18n/i18n';
import { Button } from '@/ui/Button';
import { DeviceProblems, problemsOf } from '@/features/diagnostics/DeviceProblems';
import styles from './call.module.css';

type Props = { call: Call; snapshot: CallSnapshot; onConsent: (() => void) | undefined };

const blockedCauses = ['consent_missing', 'consent_refused', 'consent_withdrawn', 'unavailable'] as const;

export function Notices({ call, snapshot, onConsent }: Props) {
  const t = useT('call');
  const cut = problemsOf(snapshot.devices).some((p) => p.cause === 'interrupted');
  if (cut) {
    return (
      <div className={styles.notice} role="alert">
        <p>{t('interrupted')}</p>
        <Button onPress={() => void call.resumeMedia()}>{t('resume')}</Button>
      </div>
    );
  }
  switch (snapshot.state) {
    case 'blocked': {
      const cause = blockedCauses.find((c) => c === snapshot.cause);
      const consentCanHelp = onConsent && cause !== undefined && cause !== 'unavailable';
      return (
        <div className={styles.notice} role="status">
          <p>{t(`blocked.${cause ?? 'other'}`)}</p>
          {consentCanHelp && <Button onPress={onConsent}>{t('blocked.read')}</Button>}
        </div>
      );
    }
    case 'entering':
    case 'joining':
      return (
        <div className={styles.notice} role="status">
          <p>{t(snapshot.me?.host ? 'joiningPro' : 'joining')}</p>
        </div>
      );
    case 'repairing':
      return (
        <div className={styles.notice} role="status">
          <p>{t('repairing')}</p>
        </div>
      );
    case 'lost':
      return (
        <div className={styles.notice} role="alert">
          <p>{t('lost')}</p>
          <Button onPress={() => location.reload()}>{t('lost.reload')}</Button>
        </div>
      );
    default:
      break;
  }
  if (snapshot.socket === 'reconnecting') {
    return (
      <div className={styles.notice} role="status">
        <p>{t('reconnecting')}</p>
      </div>
    );
  }
  if (problemsOf(snapshot.devices).length > 0) return <DeviceProblems devices={snapshot.devices} />;
  if (!snapshot.mic) {
    return (
      <p className={styles.notice} role="status">
        {t('mic.muted')}
      </p>
    );
  }
  return null;
}
