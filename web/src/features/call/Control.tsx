import type { Ref } from 'react';
import { Icon, type IconName } from './icons';
import styles from './call.module.css';

export type ControlProps = {
  icon: IconName;
  /** Word in view. */
  word: string;
  /** What a press does, containing the word (WCAG 2.5.3). */
  label: string;
  onPress: () => void;
  /** The thing is off: shape crossed, colours turned. */
  off?: boolean;
  /** Hang-up: the only red of the call. */
  hangUp?: boolean;
  pressed?: boolean;
  /** Number in a corner, such as unread messages. */
  badge?: number;
  isDisabled?: boolean;
  ref?: Ref<HTMLButtonElement>;
};

/** A large button of the call. */
export function Control({ icon, word, label, onPress, off = false, hangUp = false, pressed, badge = 0, isDisabled = false, ref }: ControlProps) {
  const look = [styles.control, off ? styles.off : '', hangUp ? styles.hangUp : ''].join(' ');
  return (
    <button ref={ref} type="button" className={look} aria-label={label} onClick={onPress} disabled={isDisabled} aria-pressed={pressed}>
      <Icon name={icon} crossed={off} />
      <span className={styles.word}>{word}</span>
      {badge > 0 && (
        <span className={styles.badge} aria-hidden="true">
          {badge > 9 ? '9+' : badge}
        </span>
      )}
    </button>
  );
}
