import { DeskFailure } from '@/features/desk/DeskFailure';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, sayTime } from '@/i18n/time';
import { Alert } from '@/ui/Alert';
import { Button } from '@/ui/Button';
import { State } from '@/ui/State';
import type { SaveState } from './autosave';
import styles from './report.module.css';

type Props = { state: SaveState; onRetry: () => void; onMine: () => void; onTheirs: () => void };

/** Where what was typed stands: saved, leaving, kept here, or changed elsewhere. */
export function SaveNote({ state, onRetry, onMine, onTheirs }: Props) {
  const t = useT('report');
  if (state.is === 'conflict') {
    return (
      <Alert tone="warn" title={t('save.conflict')} live>
        <p>{t('save.conflict.now')}</p>
        <div className={styles.buttons}>
          <Button look="secondary" onPress={onMine}>
            {t('save.mine')}
          </Button>
          <Button look="secondary" onPress={onTheirs}>
            {t('save.theirs')}
          </Button>
        </div>
      </Alert>
    );
  }
  if (state.is === 'kept' && state.problem.status === 401) {
    return (
      <Alert tone="warn" title={t('save.signedOut')} live>
        <p>{t('save.signedOut.now')}</p>
        <div className={styles.buttons}>
          <a href="/pro" target="_blank" rel="noreferrer" className={styles.link}>
            {t('save.signIn')}
          </a>
          <Button look="secondary" onPress={onRetry}>
            {t('save.retry')}
          </Button>
        </div>
      </Alert>
    );
  }
  if (state.is === 'refused' && state.problem.fields.length === 0) return <DeskFailure problem={state.problem} kept={t('save.kept.here')} />;
  if (state.is === 'kept') {
    return (
      <Alert tone="warn" title={t('save.kept')} live>
        <p>{t('save.kept.now')}</p>
        <Button look="secondary" onPress={onRetry}>
          {t('save.retry')}
        </Button>
      </Alert>
    );
  }
  return (
    <p className={styles.note}>
      <Said state={state} />
    </p>
  );
}

function Said({ state }: { state: SaveState }) {
  const t = useT('report');
  const { language } = useLanguage();
  if (state.is === 'refused') return <State tone="bad">{t('save.refused')}</State>;
  if (state.is === 'saved') {
    if (!state.at) return <State tone="calm">{t('save.untouched')}</State>;
    return <State tone="good">{t('save.saved', { time: sayTime(state.at, clinicZone, language) })}</State>;
  }
  return <State tone="wait">{t(state.is === 'saving' && state.slow ? 'save.slow' : 'save.saving')}</State>;
}
