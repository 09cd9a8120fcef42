import styles from './Field.module.css';

/** A box that says yes or no to one sentence; the whole row is the target. */
export function Check({ label, isSelected, onChange }: { label: string; isSelected: boolean; onChange: (on: boolean) => void }) {
  return (
    <label className={styles.choice}>
      <input type="checkbox" checked={isSelected} onChange={(e) => onChange(e.target.checked)} />
      <span>{label}</span>
    </label>
  );
}
