/** Fields: a label that stays, a hint before, an error after, each tied to the input. */
import { useId, type ReactNode } from 'react';
import { typeDate } from './date';
import styles from './Field.module.css';

type Common = {
  label: string;
  name: string;
  value: string;
  onChange: (value: string) => void;
  hint?: string;
  /** What is wrong and how to put it right; shown and announced when present. */
  error?: string | undefined;
  isRequired?: boolean;
  isDisabled?: boolean;
};

export type TextFieldProps = Common & {
  type?: 'text' | 'email' | 'tel' | 'search';
  autoComplete?: string;
  inputMode?: 'text' | 'numeric' | 'tel' | 'email';
  maxLength?: number;
  autoFocus?: boolean;
  /** More than one line of text. */
  rows?: number;
};

export function TextField({ label, name, value, onChange, hint, error, rows, isRequired, isDisabled, ...input }: TextFieldProps) {
  const id = useId();
  const shared = {
    ...input,
    id,
    name,
    value,
    className: styles.input,
    disabled: isDisabled,
    'aria-required': isRequired || undefined,
    ...described(id, hint, error),
  };
  return (
    <Framed id={id} label={label} hint={hint} error={error}>
      {rows ? (
        <textarea {...shared} rows={rows} onChange={(e) => onChange(e.target.value)} />
      ) : (
        <input type="text" {...shared} onChange={(e) => onChange(e.target.value)} />
      )}
    </Framed>
  );
}

/** What ties the hint and the error to the input for a screen reader. */
function described(id: string, hint: string | undefined, error: string | undefined) {
  const ids = [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ');
  return { 'aria-invalid': error !== undefined || undefined, 'aria-describedby': ids || undefined };
}

type FramedProps = { id: string; label: string; hint: string | undefined; error: string | undefined; children: ReactNode };

function Framed({ id, label, hint, error, children }: FramedProps) {
  return (
    <div className={styles.field}>
      <label className={styles.label} htmlFor={id}>
        {label}
      </label>
      {hint && (
        <span className={styles.hint} id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {children}
      {error && (
        <span className={styles.error} id={`${id}-error`}>
          {error}
        </span>
      )}
    </div>
  );
}

/** A date typed as the person writes it, day first: 04/03/1952. The value is the text; see readDate. */
export function DateField({ onChange, value, ...rest }: Omit<TextFieldProps, 'type' | 'inputMode' | 'maxLength'>) {
  return <TextField {...rest} value={value} onChange={(text) => onChange(typeDate(value, text))} inputMode="numeric" maxLength={10} />;
}

export type SelectProps = Common & { options: readonly { value: string; label: string }[] };

/** The platform's own list: the phone shows its wheel, the desk its menu. */
export function Select({ label, name, value, onChange, hint, error, options, isRequired, isDisabled }: SelectProps) {
  const id = useId();
  return (
    <Framed id={id} label={label} hint={hint} error={error}>
      <select
        id={id}
        name={name}
        className={styles.input}
        value={value}
        onChange={(e) => onChange(e.target.value)}
        aria-required={isRequired || undefined}
        disabled={isDisabled}
        {...described(id, hint, error)}
      >
        {options.map((o) => (
          <option key={o.value} value={o.value}>
            {o.label}
          </option>
        ))}
      </select>
    </Framed>
  );
}

export type ChoiceProps = {
  legend: string;
  name: string;
  value: string;
  onChange: (value: string) => void;
  options: readonly { value: string; label: ReactNode; detail?: string }[];
};

/** One of a few: every choice in view, the whole row is the target. */
export function Choice({ legend, name, value, onChange, options }: ChoiceProps) {
  return (
    <fieldset className={styles.field}>
      <legend className={styles.label}>{legend}</legend>
      {options.map((o) => (
        <label key={o.value} className={styles.choice}>
          <input type="radio" name={name} value={o.value} checked={o.value === value} onChange={() => onChange(o.value)} />
          <span>
            {o.label}
            {o.detail && <span className={styles.hint}>{o.detail}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
