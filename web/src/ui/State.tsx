/** A state in one or two words, with a shape that differs from the other states' even in grey. */
import type { ReactNode } from 'react';
import styles from './State.module.css';

export type StateTone = 'good' | 'wait' | 'warn' | 'bad' | 'calm';
const shapes: Record<StateTone, string> = { good: '✓', wait: '◔', warn: '!', bad: '▲', calm: '○' };

export function State({ tone, children }: { tone: StateTone; children: ReactNode }) {
  return (
    <span className={`${styles.state} ${styles[tone]}`}>
      <span className={styles.shape} aria-hidden="true">
        {shapes[tone]}
      </span>
      <span>{children}</span>
    </span>
  );
}
