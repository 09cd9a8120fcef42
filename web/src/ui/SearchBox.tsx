/**
 * A field that proposes what the server finds while one types (WAI-ARIA
 * "editable combobox with list autocomplete"). The list is the server's:
 * nothing is filtered here; choosing calls `onChoose` once. The list is part
 * of the page, below its field, where zoom and a small screen cannot cut it.
 * Ours and not the library's ComboBox: that one hides all the rest of the page
 * from screen readers while the list is open, heading and landmarks included.
 */
import { useEffect, useId, useState, type KeyboardEvent } from 'react';
import { useAnnounce } from './Announcer';
import field from './Field.module.css';
import styles from './SearchBox.module.css';

export type Found = { id: string; title: string; detail?: string | undefined };

export type SearchBoxProps = {
  label: string;
  hint?: string;
  value: string;
  onChange: (text: string) => void;
  items: readonly Found[];
  onChoose: (id: string) => void;
  /** Said in place of the list: nothing found, still looking, or failed. */
  empty: string;
  /** How many were found, for those who do not see the list. */
  found: string;
  autoFocus?: boolean;
};

/** Signs from which something is looked for. */
const enough = 2;

export function SearchBox({ label, hint, value, onChange, items, onChoose, empty, found, autoFocus = false }: SearchBoxProps) {
  const id = useId();
  const announce = useAnnounce();
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const asked = open && value.trim().length >= enough;
  const listed = asked && items.length > 0;
  const chosen = listed ? items[active] : undefined;
  const said = asked ? (listed ? found : empty) : '';
  useEffect(() => {
    if (said) announce(said);
  }, [said, announce]);
  useEffect(() => {
    if (chosen) document.getElementById(`${id}-${active}`)?.scrollIntoView({ block: 'nearest' });
  }, [chosen, active, id]);
  const choose = (item: Found) => {
    setOpen(false);
    setActive(-1);
    onChoose(item.id);
  };
  const key = (e: KeyboardEvent) => {
    const step = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && value.trim().length >= enough) {
      e.preventDefault();
      setOpen(true);
      if (items.length > 0) setActive((active + step + (active < 0 && step < 0 ? 1 : 0) + items.length) % items.length);
    } else if (e.key === 'Enter' && asked) {
      // Enter never sends the form around while something is being chosen.
      e.preventDefault();
      if (chosen) choose(chosen);
    } else if (e.key === 'Escape' && asked) {
      // Closes the list, not the dialog it may be in.
      e.preventDefault();
      e.stopPropagation();
      setOpen(false);
      setActive(-1);
    }
  };
  return (
    <div className={field.field} onBlur={(e) => !e.currentTarget.contains(e.relatedTarget) && setOpen(false)}>
      <label className={field.label} htmlFor={id}>
        {label}
      </label>
      {hint && (
        <span className={field.hint} id={`${id}-hint`}>
          {hint}
        </span>
      )}
      <input
        id={id}
        type="text"
        role="combobox"
        autoComplete="off"
        autoFocus={autoFocus}
        className={field.input}
        value={value}
        aria-autocomplete="list"
        aria-expanded={listed}
        aria-controls={listed ? `${id}-list` : undefined}
        aria-activedescendant={chosen ? `${id}-${active}` : undefined}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onKeyDown={key}
        onChange={(e) => {
          onChange(e.target.value);
          setOpen(true);
          setActive(-1);
        }}
        onClick={() => setOpen(true)}
      />
      {listed && (
        <ul id={`${id}-list`} role="listbox" aria-label={label} className={styles.list}>
          {items.map((item, i) => (
            <li
              key={item.id}
              id={`${id}-${i}`}
              role="option"
              aria-selected={i === active}
              className={styles.item}
              // The field keeps the focus.
              onMouseDown={(e) => e.preventDefault()}
              onMouseMove={() => setActive(i)}
              onClick={() => choose(item)}
            >
              <span className={styles.title}>{item.title}</span>
              {item.detail && <span className={styles.detail}>{item.detail}</span>}
            </li>
          ))}
        </ul>
      )}
      {asked && !listed && <p className={styles.empty}>{empty}</p>}
    </div>
  );
}
