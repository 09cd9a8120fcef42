import { useState } from 'react';
import type { PrescriptionLine } from '@/api/types';
import { useT } from '@/i18n/i18n';
import { Check } from '@/ui/Check';
import { readDate } from '@/ui/date';
import { DateField, TextField } from '@/ui/Field';
import { change } from './lines';
import styles from './prescription.module.css';

type Flag = 'ald' | 'workAccident' | 'notReimbursable' | 'offLabel';
type Props = {
  line: PrescriptionLine;
  index: number;
  flags: readonly Flag[];
  onChange: (line: PrescriptionLine) => void;
  error: (field: string) => string | undefined;
};

/** What reimburses the line, and the words for the pharmacist (CSS R161-45). */
export function Mentions({ line, index, flags, onChange, error }: Props) {
  const t = useT('prescription');
  const [accident, setAccident] = useState(() => (line.workAccidentDate ?? '').split('-').reverse().join('/'));
  return (
    <>
      <div className={styles.checks}>
        {flags.map((f) => (
          <Check
            key={f}
            label={t(`field.${f}`)}
            isSelected={line[f] === true}
            onChange={(on) => onChange(f === 'workAccident' && !on ? change(change(line, f, false), 'workAccidentDate', undefined) : change(line, f, on))}
          />
        ))}
      </div>
      {line.workAccident && (
        <DateField
          label={t('field.workAccidentDate')}
          name={`workAccidentDate-${index}`}
          hint={t('hint.workAccidentDate')}
          value={accident}
          onChange={(text) => {
            setAccident(text);
            onChange(change(line, 'workAccidentDate', readDate(text) ?? undefined));
          }}
          error={error('workAccidentDate')}
        />
      )}
      <TextField
        label={t('field.pharmacist')}
        name={`pharmacist-${index}`}
        value={line.pharmacist ?? ''}
        onChange={(v) => onChange(change(line, 'pharmacist', v === '' ? undefined : v))}
        maxLength={500}
        error={error('pharmacist')}
      />
    </>
  );
}
