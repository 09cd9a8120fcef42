/**
 * Waiting for the server: nothing for 300 ms, then the layout in grey, then
 * after 3 s the words that say what is being waited for.
 */
import { useEffect, useState, type ReactNode } from 'react';
import styles from './Loading.module.css';

/** Milliseconds after which waiting is shown, then explained. */
const shown = 300;
const explained = 3000;

export function Loading({ what, children }: { what: string; children?: ReactNode }) {
  const [stage, setStage] = useState<0 | 1 | 2>(0);
  useEffect(() => {
    const first = setTimeout(() => setStage(1), shown);
    const second = setTimeout(() => setStage(2), explained);
    return () => {
      clearTimeout(first);
      clearTimeout(second);
    };
  }, []);
  if (stage === 0) return <div className={styles.blank} aria-busy="true" />;
  return (
    <div className={styles.loading} aria-busy="true">
      <p role="status" className={styles.words}>
        {stage === 2 ? what : ''}
      </p>
      <div aria-hidden="true">{children ?? <Lines count={4} />}</div>
    </div>
  );
}

/** Grey lines with the rhythm of the text that will come. */
export function Lines({ count, tall = false }: { count: number; tall?: boolean }) {
  return (
    <div className={styles.lines}>
      {Array.from({ length: count }, (_, i) => (
        <div key={i} className={tall ? styles.tall : styles.line} />
      ))}
    </div>
  );
}
