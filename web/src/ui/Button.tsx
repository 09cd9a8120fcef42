/** Buttons and links that look like them. Their words say the result. */
import type { ReactNode } from 'react';
import { Button as AriaButton, type ButtonProps as AriaButtonProps } from 'react-aria-components/Button';
import { Link } from 'wouter';
import styles from './Button.module.css';

type Look = 'primary' | 'secondary' | 'text' | 'danger';

export type ButtonProps = Omit<AriaButtonProps, 'className' | 'style' | 'children' | 'isPending'> & {
  look?: Look;
  /** Full width, as the main action on a phone is. */
  wide?: boolean;
  /** Work is going on: the button keeps its place, its name and the focus, and cannot be pressed twice. */
  busy?: boolean;
  children: ReactNode;
};

const classOf = (look: Look, wide: boolean) => [styles.button, styles[look], wide ? styles.wide : ''].join(' ');

export function Button({ look = 'primary', wide = false, busy = false, children, ...rest }: ButtonProps) {
  const pressing = busy ? { onPress: () => undefined, type: 'button' as const, 'aria-disabled': 'true' as const } : {};
  return (
    <AriaButton {...rest} {...pressing} className={classOf(look, wide)}>
      {busy && <span className={styles.spinner} aria-hidden="true" />}
      <span>{children}</span>
    </AriaButton>
  );
}

export function LinkButton({ to, look = 'primary', wide = false, children }: { to: string; look?: Look; wide?: boolean; children: ReactNode }) {
  return (
    <Link href={to} className={classOf(look, wide)}>
      {children}
    </Link>
  );
}
