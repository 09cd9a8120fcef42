/** A state said in words, with a shape, and a colour that only repeats it. */
import { Suspense, type ReactNode } from 'react';
import type { Problem } from '@/api/client';
import { useProblemWords } from '@/i18n/problems';
import { Button } from './Button';
import styles from './Alert.module.css';

export type Tone = 'info' | 'good' | 'warn' | 'bad';
const shapes: Record<Tone, string> = { info: 'i', good: '✓', warn: '!', bad: '▲' };

export function Alert({ tone = 'info', title, children, live = false }: { tone?: Tone; title?: string; children?: ReactNode; live?: boolean }) {
  return (
    <div className={`${styles.alert} ${styles[tone]}`} role={live ? (tone === 'bad' ? 'alert' : 'status') : undefined}>
      <span className={styles.shape} aria-hidden="true">
        {shapes[tone]}
      </span>
      <div className={styles.body}>
        {title && <p className={styles.title}>{title}</p>}
        {children}
      </div>
    </div>
  );
}

export type FailureProps = {
  problem: Problem;
  /** What was not lost, said by the page that knows it. */
  kept?: string | undefined;
  retry?: (() => void) | undefined;
  busy?: boolean;
};

function FailureWords({ problem, kept, retry, busy = false }: FailureProps) {
  const words = useProblemWords()(problem);
  return (
    <Alert tone="bad" title={words.what} live>
      {kept && <p>{kept}</p>}
      {words.now && <p>{words.now}</p>}
      {retry && words.canRetry && (
        <Button look="secondary" onPress={retry} busy={busy}>
          {words.retry}
        </Button>
      )}
      <p className={styles.code}>{words.reference}</p>
    </Alert>
  );
}

/** What happened, what was kept, what to do now; the code small, for support. */
export function Failure(props: FailureProps) {
  return (
    <Suspense fallback={null}>
      <FailureWords {...props} />
    </Suspense>
  );
}
