/** One sentence over the picture when something is not as it should be, with what to do. */
import type { Call, CallSnapshot } from '@rtc/api';
import { useT } from '@/i18n/i18n';
import { Button } from '@/ui/Button';
import { DeviceProblems } from '@/features/diagnostics/DeviceProblems';
import { problemsOf } from '@/features/diagnostics/problems';
import { noticeOf, type Does } from './notice';
import styles from './call.module.css';

type Props = { call: Call; snapshot: CallSnapshot; onConsent: (() => void) | undefined };

const words = { resume: 'resume', consent: 'blocked.read', reload: 'lost.reload', retry: 'retry', use: 'offered.use', understood: 'understood' } as const;

export function Notices({ call, snapshot, onConsent }: Props) {
  const t = useT('call');
  const notice = noticeOf(snapshot);
  if (!notice) return null;
  const note = snapshot.deviceNote;
  const acts: Record<Does, (() => void) | undefined> = {
    resume: () => void call.resumeMedia(),
    consent: onConsent,
    reload: () => location.reload(),
    retry: () => void call.openDevices(Object.fromEntries(problemsOf(snapshot.devices).map((p) => [p.kind, true]))),
    use: () => {
      call.forgetNote();
      if (note?.deviceId) void call.openDevices({ [note.kind]: note.deviceId, ...(note.kind === 'microphone' ? { camera: false } : { microphone: false }) });
    },
    understood: () => call.forgetNote(),
  };
  const act = notice.does && acts[notice.does];
  const button = act && notice.does && <Button onPress={act}>{t(words[notice.does])}</Button>;
  if (notice.says === 'devices') {
    return (
      <>
        <DeviceProblems devices={snapshot.devices} />
        {button}
      </>
    );
  }
  return (
    <div className={styles.notice} role={notice.urgent ? 'alert' : 'status'}>
      <p>{t(notice.says, { label: note?.label ?? '' })}</p>
      {button}
      {notice.does === 'use' && (
        <Button look="text" onPress={acts.understood}>
          {t('offered.keep')}
        </Button>
      )}
    </div>
  );
}
