import { useState } from 'react';
import type { Dosage, PrescriptionLine } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { Check } from '@/ui/Check';
import { Select, TextField } from '@/ui/Field';
import { readAmount, sayTiming, sentence, timingName, timings, unitName, units, type Say } from './dosage';
import styles from './prescription.module.css';

type Props = { dosage: Dosage; line: PrescriptionLine; index: number; onChange: (d: Dosage) => void; error: (field: string) => string | undefined };

/** How much, of what, when; if needed, up to how much; and the sentence that the sheet will carry. */
export function DosageFields({ dosage: d, line, index, onChange, error }: Props) {
  const t = useT('prescription');
  const say = t as unknown as Say;
  const { language } = useLanguage();
  const put = (part: Partial<Dosage>) => onChange({ ...d, ...part });
  const chosen = timingName(d.timing);
  const listed = chosen === '' || chosen in timings ? Object.entries(timings) : [...Object.entries(timings), [chosen, d.timing] as const];
  return (
    <>
      <div className={styles.three}>
        <Amount
          label={t('dosage.amount')}
          name={`amount-${index}`}
          value={d.doseQuantity.value}
          // A medicine just chosen is written at once.
          autoFocus={chosen === ''}
          onChange={(value) => put({ doseQuantity: { ...d.doseQuantity, value } })}
          error={error('dosage.doseQuantity')}
        />
        <Select
          label={t('dosage.unit')}
          name={`unit-${index}`}
          value={d.doseQuantity.code}
          onChange={(code) => put({ doseQuantity: { ...d.doseQuantity, code } })}
          options={units.map((u) => ({ value: u, label: say(`dosage.of.${unitName(u)}`) }))}
          error={error('dosage.unit')}
        />
        <Select
          label={t('dosage.when')}
          name={`when-${index}`}
          value={chosen}
          onChange={(name) => put({ timing: timings[name] ?? {} })}
          options={[{ value: '', label: t('dosage.choose') }, ...listed.map(([name, timing]) => ({ value: name, label: sayTiming(timing, say) }))]}
          error={error('dosage.timing')}
        />
      </div>
      <div className={styles.checks}>
        <Check
          label={t('dosage.asNeeded')}
          isSelected={d.asNeededBoolean === true}
          onChange={(on) => {
            const { maxDosePerDay: _, ...rest } = d;
            onChange(on ? { ...d, asNeededBoolean: true } : { ...rest, asNeededBoolean: false });
          }}
        />
      </div>
      {d.asNeededBoolean && (
        <Amount
          label={t('dosage.maximum')}
          name={`maximum-${index}`}
          value={d.maxDosePerDay ?? 0}
          onChange={(maxDosePerDay) => put({ maxDosePerDay })}
          error={error('dosage.maxDosePerDay')}
        />
      )}
      <p className={styles.sentence}>{sentence(d, line.durationDays, say, language) || t('dosage.empty')}</p>
    </>
  );
}

type AmountProps = { label: string; name: string; value: number; autoFocus?: boolean; onChange: (value: number) => void; error: string | undefined };

/** A number as it is typed: « 0,5 » stays « 0,5 » while it is written. */
export function Amount({ label, name, value, onChange, error, autoFocus = false }: AmountProps) {
  const { language } = useLanguage();
  const [text, setText] = useState(value === 0 ? '' : String(value).replace('.', language === 'fr' ? ',' : '.'));
  return (
    <TextField
      label={label}
      name={name}
      value={text}
      autoFocus={autoFocus}
      onChange={(typed) => {
        setText(typed);
        onChange(readAmount(typed));
      }}
      error={error}
      maxLength={8}
    />
  );
}
