import { useEffect, useRef, useState } from 'react';
import { useT } from '@/i18n/i18n';
import styles from './diagnostics.module.css';

/** Level, of 0…1, above which a voice is told from the noise of a room. */
const voice = 0.08;

/** The microphone as a bar that moves, and the words that say whether a voice was heard. */
export function LevelMeter({ level }: { level: () => number }) {
  const t = useT('diagnostics');
  const bar = useRef<HTMLDivElement>(null);
  const [heard, setHeard] = useState(false);
  const [said, setSaid] = useState(0);
  useEffect(() => {
    let frame = 0;
    let lastSaid = 0;
    const draw = (at: number) => {
      const now = Math.min(1, Math.max(0, level()));
      if (bar.current) bar.current.style.transform = `scaleX(${now})`;
      if (now > voice) setHeard(true);
      // The value for screen readers moves once a second: more would be noise.
      if (at - lastSaid > 1000) {
        lastSaid = at;
        setSaid(Math.round(now * 100));
      }
      frame = requestAnimationFrame(draw);
    };
    frame = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(frame);
  }, [level]);
  return (
    <div className={styles.meter}>
      <div role="meter" aria-label={t('level')} aria-valuemin={0} aria-valuemax={100} aria-valuenow={said} className={styles.track}>
        <div ref={bar} className={styles.bar} />
      </div>
      <p role="status">{heard ? t('heard') : t('speak')}</p>
    </div>
  );
}
