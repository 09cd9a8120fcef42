/**
 * A question that must be answered before going on, on a patient's page: the
 * platform's modal dialog, which keeps the focus, closes with Escape and
 * silences the page behind. (The desk uses Dialog, whose inner lists may open
 * over it.)
 */
import { useEffect, useId, useRef, type ReactNode } from 'react';
import styles from './Sheet.module.css';

export type SheetProps = { title: string; isOpen: boolean; onClose: () => void; children: ReactNode };

export function Sheet({ title, isOpen, onClose, children }: SheetProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    if (!element) return;
    if (isOpen && !element.open) element.showModal();
    if (!isOpen && element.open) element.close();
  }, [isOpen]);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      className={styles.sheet}
      onCancel={(e) => {
        e.preventDefault();
        onClose();
      }}
      // A tap on the veil, which is the dialog itself outside its content, leaves all as it was.
      onClick={(e) => e.target === e.currentTarget && onClose()}
    >
      {isOpen && (
        <div className={styles.content}>
          <h2 id={id}>{title}</h2>
          {children}
        </div>
      )}
    </dialog>
  );
}
