/**
 * Buttons and links that look like them. Their words say the result. The
 * platform's own button: it has every behaviour wanted here, and a patient's
 * page must stay light (house.md §7).
 */
import type { ReactNode, Ref } from 'react';
import { Link } from 'wouter';
import styles from './Button.module.css';

type Look = 'primary' | 'secondary' | 'text' | 'danger';

export type ButtonProps = {
  onPress?: () => void;
  type?: 'button' | 'submit';
  look?: Look;
  /** Full width, as the main action on a phone is. */
  wide?: boolean;
  /** Work is going on: the button keeps its place, its name and the focus, and cannot be pressed twice. */
  busy?: boolean;
  isDisabled?: boolean;
  /** Of a button that keeps the focus and does nothing yet. */
  'aria-disabled'?: true;
  autoFocus?: boolean;
  id?: string;
  form?: string;
  ref?: Ref<HTMLButtonElement>;
  'aria-label'?: string;
  'aria-describedby'?: string;
  'aria-pressed'?: boolean;
  'aria-expanded'?: boolean;
  'aria-controls'?: string;
  'aria-haspopup'?: 'menu';
  children: ReactNode;
};

const classOf = (look: Look, wide: boolean) => [styles.button, styles[look], wide ? styles.wide : ''].join(' ');

export function Button({ onPress, type = 'button', look = 'primary', wide = false, busy = false, isDisabled = false, children, ...rest }: ButtonProps) {
  return (
    <button
      aria-disabled={busy || undefined}
      {...rest}
      // A busy button submits nothing: Enter in a field of its form finds no submit button.
      type={busy ? 'button' : type}
      disabled={isDisabled}
      onClick={busy ? undefined : onPress}
      className={classOf(look, wide)}
    >
      {busy && <span className={styles.spinner} aria-hidden="true" />}
      <span>{children}</span>
    </button>
  );
}

export function LinkButton({ to, look = 'primary', wide = false, children }: { to: string; look?: Look; wide?: boolean; children: ReactNode }) {
  return (
    <Link href={to} className={classOf(look, wide)}>
      {children}
    </Link>
  );
}
