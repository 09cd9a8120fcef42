/**
 * A question that must be answered before going on: the platform's modal
 * dialog, which keeps the focus, closes with Escape, silences the page behind
 * and gives the focus back. What is in it comes once it is open, so that a
 * field that wants the focus gets it.
 */
import { useEffect, useId, useLayoutEffect, useRef, useState, type ReactNode } from 'react';
import { InnerRegion } from './Announcer';
import styles from './Sheet.module.css';

export type SheetProps = {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  children: ReactNode;
  /** A press beside it closes it too; Escape always does. */
  isDismissable?: boolean;
};

export function Sheet({ title, isOpen, onClose, children, isDismissable = true }: SheetProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [shown, setShown] = useState(false);
  const id = useId();
  useLayoutEffect(() => {
    const element = dialog.current;
    if (!element || !isOpen) return;
    element.showModal();
    setShown(true);
    // Also when it goes away with what opened it: closing gives the focus back.
    return () => {
      element.close();
      setShown(false);
    };
  }, [isOpen]);
  const close = useRef(onClose);
  useEffect(() => {
    close.current = onClose;
  }, [onClose]);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      className={styles.sheet}
      onCancel={(e) => {
        e.preventDefault();
        close.current();
      }}
      // A browser may close it by itself (a second Escape).
      onClose={() => isOpen && close.current()}
      // A tap on the veil, which is the dialog itself outside its content, leaves all as it was.
      onClick={(e) => isDismissable && e.target === e.currentTarget && close.current()}
    >
      {isOpen && (
        <div className={styles.content}>
          <h2 id={id}>{title}</h2>
          {shown && children}
          <InnerRegion />
        </div>
      )}
    </dialog>
  );
}
