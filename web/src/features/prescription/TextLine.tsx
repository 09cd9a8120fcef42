import type { PrescriptionCategory, PrescriptionLine } from '@/api/types';
import { useT } from '@/i18n/i18n';
import { TextField } from '@/ui/Field';
import { Answers, type Warning } from './Answers';
import { change, readCount, showCount } from './lines';
import { Mentions } from './Mentions';
import styles from './prescription.module.css';

type Props = {
  category: PrescriptionCategory;
  line: PrescriptionLine;
  index: number;
  onChange: (line: PrescriptionLine) => void;
  error: (field: string) => string | undefined;
  warnings: readonly Warning[];
};

/** An exam or care in words; a device with its code, its number and how long (CSS R165-36, R165-38). */
export function TextLine({ category, line, index, onChange, error, warnings }: Props) {
  const t = useT('prescription');
  const device = category === 'device';
  const count = (field: 'durationDays' | 'quantity' | 'renewals') => ({
    label: t(field === 'quantity' ? 'field.units' : field === 'durationDays' ? 'field.hireDays' : 'field.renewals'),
    name: `${field}-${index}`,
    value: showCount(line[field] ?? (field === 'renewals' ? 0 : undefined)),
    onChange: (v: string) => onChange(change(line, field, readCount(v))),
    error: error(field),
    inputMode: 'numeric' as const,
  });
  return (
    <div className={styles.form}>
      <TextField
        label={t(device ? 'device' : 'text', { count: index + 1 })}
        name={`text-${index}`}
        rows={device ? 2 : 3}
        value={line.text ?? ''}
        onChange={(text) => onChange({ ...line, text })}
        error={error('text')}
      />
      {device && (
        <>
          <div className={styles.three}>
            <TextField
              label={t('field.lpp')}
              name={`lpp-${index}`}
              value={line.lpp ?? ''}
              onChange={(v) => onChange(change(line, 'lpp', v.replace(/\D/g, '').slice(0, 7) || undefined))}
              inputMode="numeric"
              error={error('lpp')}
            />
            <TextField {...count('quantity')} />
          </div>
          <div className={styles.three}>
            <TextField {...count('durationDays')} />
            <TextField {...count('renewals')} />
          </div>
        </>
      )}
      <Answers line={line} warnings={warnings} said={error('text')} onChange={onChange} />
      <Mentions line={line} index={index} flags={['ald', 'workAccident', 'notReimbursable']} onChange={onChange} error={error} />
    </div>
  );
}
