import { Picture } from './Stream';
import styles from './call.module.css';

type Props = { stream: MediaStream | undefined; label: string; mirrored?: boolean };

/** One's own picture, mirrored as in a mirror: people expect it, and it calms. What a back camera shows is not. */
export function SelfPicture({ stream, label, mirrored = true }: Props) {
  return <Picture stream={stream} label={label} className={mirrored ? styles.mirrored : styles.away} />;
}
