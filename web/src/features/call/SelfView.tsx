import { useRef, useState, type PointerEvent } from 'react';
import { useT } from '@/i18n/i18n';
import { nearestCorner, nextCorner, type Corner } from './corner';
import { SelfPicture } from './SelfPicture';
import styles from './call.module.css';

/** Pixels of movement that make a drag of a tap. */
const dragFrom = 8;

/** One's own picture: small, in a corner; a drag or a tap (or Enter) moves it to another. */
export function SelfView({ stream, cameraOn, mirrored }: { stream: MediaStream | undefined; cameraOn: boolean; mirrored: boolean }) {
  const t = useT('call');
  const [corner, setCorner] = useState<Corner>('top-right');
  const [drag, setDrag] = useState<{ dx: number; dy: number } | null>(null);
  const from = useRef<{ x: number; y: number } | null>(null);
  const moved = useRef(false);
  const down = (e: PointerEvent<HTMLButtonElement>) => {
    from.current = { x: e.clientX, y: e.clientY };
    moved.current = false;
    e.currentTarget.setPointerCapture(e.pointerId);
  };
  const move = (e: PointerEvent<HTMLButtonElement>) => {
    if (!from.current) return;
    const dx = e.clientX - from.current.x;
    const dy = e.clientY - from.current.y;
    if (!moved.current && Math.hypot(dx, dy) < dragFrom) return;
    moved.current = true;
    setDrag({ dx, dy });
  };
  const up = (e: PointerEvent<HTMLButtonElement>) => {
    from.current = null;
    if (!moved.current) return;
    const stage = e.currentTarget.parentElement?.getBoundingClientRect();
    if (stage) setCorner(nearestCorner(e.clientX - stage.left, e.clientY - stage.top, stage.width, stage.height));
    setDrag(null);
  };
  return (
    <button
      type="button"
      className={`${styles.selfView} ${styles[corner]}`}
      style={drag ? { transform: `translate(${drag.dx}px, ${drag.dy}px)` } : undefined}
      aria-label={t('self.move')}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerCancel={up}
      onClick={() => !moved.current && setCorner(nextCorner(corner))}
    >
      {cameraOn && stream ? <SelfPicture stream={stream} label={t('self')} mirrored={mirrored} /> : <span className={styles.selfOff}>{t('cameraOff')}</span>}
    </button>
  );
}
