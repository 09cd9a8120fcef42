/** One of a few, side by side; arrows move between them as in any group of radio buttons. */
import { Radio, RadioGroup } from 'react-aria-components/RadioGroup';
import styles from './Segments.module.css';

export type SegmentsProps<V extends string> = {
  label: string;
  value: V;
  onChange: (value: V) => void;
  options: readonly { value: V; label: string }[];
};

export function Segments<V extends string>({ label, value, onChange, options }: SegmentsProps<V>) {
  return (
    <RadioGroup aria-label={label} orientation="horizontal" value={value} onChange={(v) => onChange(v as V)} className={styles.group ?? ''}>
      {options.map((o) => (
        <Radio key={o.value} value={o.value} className={styles.segment ?? ''}>
          {o.label}
        </Radio>
      ))}
    </RadioGroup>
  );
}
