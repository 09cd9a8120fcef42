import type { PrescriptionLine } from '@/api/types';
import { useT } from '@/i18n/i18n';
import { Check } from '@/ui/Check';
import { Select, TextField } from '@/ui/Field';
import { change, readCount, reasons, showCount } from './lines';
import styles from './prescription.module.css';

type FormProps = {
  line: PrescriptionLine;
  index: number;
  onChange: (line: PrescriptionLine) => void;
  error: (field: string) => string | undefined;
};

/** The mandatory mentions of one medicine (R5132-3, R5123-1, R161-45), each beside what the server says of it. */
export function MedicineForm({ line, index, onChange, error }: FormProps) {
  const t = useT('prescription');
  const text = (field: 'dose' | 'frequency') => ({
    label: t(`field.${field}`),
    name: `${field}-${index}`,
    value: line[field] ?? '',
    onChange: (v: string) => onChange(change(line, field, v)),
    error: error(field),
  });
  const count = (field: 'durationDays' | 'quantity' | 'renewals') => ({
    label: t(`field.${field}`),
    name: `${field}-${index}`,
    value: showCount(line[field] ?? (field === 'renewals' ? 0 : undefined)),
    onChange: (v: string) => onChange(change(line, field, readCount(v))),
    error: error(field),
    inputMode: 'numeric' as const,
  });
  const wrong = error('name') ?? error('inn') ?? error('form');
  const options = [{ value: '', label: t('substitutable') }, ...reasons.map((r) => ({ value: r, label: t(`reason.${r}`) }))];
  return (
    <fieldset className={styles.form}>
      <legend className={styles.medicine}>
        {line.name}
        {line.inn && <span className={styles.inn}>{line.inn}</span>}
      </legend>
      {wrong && <p className={styles.error}>{wrong}</p>}
      {!line.cis && (
        <TextField label={t('field.form')} name={`form-${index}`} value={line.form ?? ''} onChange={(v) => onChange(change(line, 'form', v))} error={error('form')} />
      )}
      <div className={styles.two}>
        <TextField {...text('dose')} hint={t('hint.dose')} autoFocus={!line.dose} />
        <TextField {...text('frequency')} hint={t('hint.frequency')} />
      </div>
      <div className={styles.three}>
        <TextField {...count('durationDays')} />
        <TextField {...count('quantity')} />
        <TextField {...count('renewals')} />
      </div>
      <Select
        label={t('field.nonSubstitutable')}
        name={`nonSubstitutable-${index}`}
        value={line.nonSubstitutable ?? ''}
        onChange={(v) => onChange(change(line, 'nonSubstitutable', reasons.find((r) => r === v)))}
        options={options}
        error={error('nonSubstitutable')}
      />
      <div className={styles.checks}>
        {(['ald', 'notReimbursable', 'offLabel'] as const).map((f) => (
          <Check key={f} label={t(`field.${f}`)} isSelected={line[f] === true} onChange={(on) => onChange(change(line, f, on))} />
        ))}
      </div>
    </fieldset>
  );
}

/** The line as the pharmacist will read it. */
export function MedicineSentence({ line }: { line: PrescriptionLine }) {
  const t = useT('prescription');
  const parts = [
    line.dose,
    line.frequency,
    line.durationDays ? t('say.days', { count: line.durationDays }) : '',
    line.quantity ? t('say.boxes', { count: Number(line.quantity) }) : '',
    line.renewals ? t('say.renewals', { count: line.renewals }) : t('say.notRenewed'),
  ];
  const notes = [
    line.nonSubstitutable ? t('say.nonSubstitutable', { reason: t(`reason.${line.nonSubstitutable}`) }) : '',
    line.ald ? t('say.ald') : '',
    line.notReimbursable ? t('say.notReimbursable') : '',
    line.offLabel ? t('say.offLabel') : '',
  ].filter(Boolean);
  return (
    <div>
      <p className={styles.medicine}>
        {line.name}
        {line.inn && <span className={styles.inn}>{line.inn}</span>}
      </p>
      <p>{parts.filter(Boolean).join(', ')}.</p>
      {notes.map((n) => (
        <p key={n} className={styles.soft}>
          {n}
        </p>
      ))}
    </div>
  );
}
