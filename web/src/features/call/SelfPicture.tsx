import { Picture } from './Stream';
import styles from './call.module.css';

/** One's own picture, mirrored as in a mirror: people expect it, and it calms. */
export function SelfPicture({ stream, label }: { stream: MediaStream | undefined; label: string }) {
  return <Picture stream={stream} label={label} className={styles.mirrored} />;
}
