import type { PrescriptionLine } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { Button } from '@/ui/Button';
import { Check } from '@/ui/Check';
import { Select, TextField } from '@/ui/Field';
import { Answers, type Warning } from './Answers';
import { asText, sentence, type Say } from './dosage';
import { DosageFields } from './DosageFields';
import { change, lineName, readCount, reasons, showCount } from './lines';
import { Mentions } from './Mentions';
import styles from './prescription.module.css';

type FormProps = {
  line: PrescriptionLine;
  index: number;
  onChange: (line: PrescriptionLine) => void;
  error: (field: string) => string | undefined;
  /** What the server finds odd in a field, without refusing it. */
  warnings?: ((field: string) => readonly Warning[]) | undefined;
};

/** The mandatory mentions of one medicine (R5132-3, R5123-1, R161-45), each beside what the server says of it. */
export function MedicineForm({ line, index, onChange, error, warnings = () => [] }: FormProps) {
  const t = useT('prescription');
  const { language } = useLanguage();
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
  const wrong = error('name') ?? (line.regulated ? error('inn') : line.cis ? (error('inn') ?? error('form')) : undefined);
  const answers = (field: string) => <Answers line={line} warnings={warnings(field)} said={error(field)} onChange={onChange} />;
  const options = [{ value: '', label: t('substitutable') }, ...reasons.map((r) => ({ value: r, label: t(`reason.${r}`) }))];
  return (
    <fieldset className={styles.form}>
      <legend className={styles.medicine}>
        {lineName(line)}
        {line.inn && <span className={styles.inn}>{line.inn}</span>}
      </legend>
      {wrong && <p className={styles.error}>{wrong}</p>}
      {answers('name')}
      {line.regulated && (
        <div className={styles.two}>
          <TextField label={t('field.strength')} name={`strength-${index}`} value={line.strength ?? ''} hint={t('hint.strength')} onChange={(v) => onChange(change(line, 'strength', v))} error={error('strength')} autoFocus={!line.strength} />
          <TextField label={t('field.form')} name={`form-${index}`} value={line.form ?? ''} hint={t('hint.form')} onChange={(v) => onChange(change(line, 'form', v))} error={error('form')} />
        </div>
      )}
      {answers('form')}
      {!line.cis && !line.regulated && (
        <>
          <div className={styles.two}>
            <TextField label={t('field.inn')} name={`inn-${index}`} value={line.inn ?? ''} onChange={(v) => onChange(change(line, 'inn', v))} error={error('inn')} />
            <TextField label={t('field.form')} name={`form-${index}`} value={line.form ?? ''} onChange={(v) => onChange(change(line, 'form', v))} error={error('form')} />
          </div>
          <div>
            <Check label={t('notRestricted')} isSelected={line.notRestricted === true} onChange={(on) => onChange(change(line, 'notRestricted', on || undefined))} />
            {error('notRestricted') && <p className={styles.error}>{error('notRestricted')}</p>}
          </div>
        </>
      )}
      {line.dosage ? (
        <DosageFields dosage={line.dosage} line={line} index={index} onChange={(d) => onChange({ ...line, dosage: d })} error={error} />
      ) : (
        <div className={styles.two}>
          <TextField {...text('dose')} hint={t('hint.dose')} autoFocus={!line.dose && !line.regulated} />
          <TextField {...text('frequency')} hint={t('hint.frequency')} />
        </div>
      )}
      {answers('dosage.unit')}
      {answers('dose')}
      {answers('frequency')}
      <div>
        <Button look="text" onPress={() => onChange(asText(line, t as unknown as Say, language))}>
          {t(line.dosage ? 'dosage.toText' : 'dosage.toStructure')}
        </Button>
      </div>
      <div className={styles.three}>
        <TextField {...count('durationDays')} />
        <TextField {...count('quantity')} />
        <TextField {...count('renewals')} />
      </div>
      {answers('quantity')}
      <Select
        label={t('field.nonSubstitutable')}
        name={`nonSubstitutable-${index}`}
        value={line.nonSubstitutable ?? ''}
        onChange={(v) => onChange(change(line, 'nonSubstitutable', reasons.find((r) => r === v)))}
        options={options}
        error={error('nonSubstitutable')}
      />
      <Mentions line={line} index={index} flags={['ald', 'workAccident', 'notReimbursable', 'offLabel']} onChange={onChange} error={error} />
      {answers('pharmacist')}
    </fieldset>
  );
}

/** The line as the pharmacist will read it. */
export function MedicineSentence({ line }: { line: PrescriptionLine }) {
  const t = useT('prescription');
  const { language } = useLanguage();
  const parts = [
    ...(line.dosage
      ? [sentence(line.dosage, line.durationDays, t as unknown as Say, language)]
      : [line.dose, line.frequency, line.durationDays ? t('say.days', { count: line.durationDays }) : '']),
    line.quantity ? t('say.boxes', { count: Number(line.quantity) }) : '',
    line.renewals ? t('say.renewals', { count: line.renewals }) : t('say.notRenewed'),
  ];
  const notes = [
    line.nonSubstitutable ? t('say.nonSubstitutable', { reason: t(`reason.${line.nonSubstitutable}`) }) : '',
    line.ald ? t('say.ald') : '',
    line.workAccident ? t('say.workAccident') : '',
    line.notReimbursable ? t('say.notReimbursable') : '',
    line.offLabel ? t('say.offLabel') : '',
    line.pharmacist ? t('say.pharmacist', { text: line.pharmacist }) : '',
    ...(line.acknowledged ?? []).map((mark) => t('say.acknowledged', { name: mark.slice(mark.indexOf(':') + 1) })),
    line.notRestricted ? t('say.notRestricted') : '',
    ...(line.notPrescribed ?? []).map((name) => t('say.notPrescribed', { name })),
  ].filter(Boolean);
  return (
    <div>
      <p className={styles.medicine}>
        {lineName(line)}
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
