/** A button that opens a short list of things to do, below it and in the page (WAI-ARIA "menu button"). */
import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react';
import { Button } from './Button';
import styles from './Choices.module.css';

export type ChoicesProps = {
  label: string;
  items: readonly { id: string; label: string }[];
  onChoose: (id: string) => void;
  isDisabled?: boolean;
};

export function Choices({ label, items, onChoose, isDisabled = false }: ChoicesProps) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const choices = () => Array.from(list.current?.children ?? []) as HTMLElement[];
  useEffect(() => {
    if (open) choices()[0]?.focus();
  }, [open]);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const key = (e: KeyboardEvent) => {
    const all = choices();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[e.key];
    if (to !== undefined) {
      e.preventDefault();
      all.at(to % all.length)?.focus();
    } else if (e.key === 'Escape') {
      e.preventDefault();
      e.stopPropagation();
      close();
    } else if (e.key === 'Enter' || e.key === ' ') {
      e.preventDefault();
      (document.activeElement as HTMLElement).click();
    }
  };
  return (
    <div className={styles.choices} onBlur={(e) => !e.currentTarget.contains(e.relatedTarget) && setOpen(false)}>
      <Button ref={button} id={id} look="secondary" aria-haspopup="menu" aria-expanded={open} onPress={() => setOpen(!open)} isDisabled={isDisabled}>
        {label}
      </Button>
      {open && (
        <ul ref={list} role="menu" aria-labelledby={id} className={styles.list} onKeyDown={key}>
          {items.map((i) => (
            <li
              key={i.id}
              role="menuitem"
              tabIndex={-1}
              className={styles.item}
              onClick={() => {
                close();
                onChoose(i.id);
              }}
            >
              {i.label}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
