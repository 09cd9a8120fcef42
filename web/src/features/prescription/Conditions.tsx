import { useState } from 'react';
import type { Prescription } from '@/api/deskTypes';
import type { PrescriptionLine } from '@/api/types';
import { useT } from '@/i18n/i18n';
import { Check } from '@/ui/Check';
import { readDate } from '@/ui/date';
import { DateField, TextField } from '@/ui/Field';
import { change } from './lines';
import styles from './prescription.module.css';

export type Condition = NonNullable<Prescription['conditions']>[number];

type Props = {
  line: PrescriptionLine;
  index: number;
  conditions: readonly Condition[];
  onChange: (line: PrescriptionLine) => void;
  error: (field: string) => string | undefined;
};

/** The conditions of prescribing of one medicine, in the words of the base, with what the prescriber may state of each. */
export function Conditions({ line, index, conditions, onChange, error }: Props) {
  const t = useT('prescription');
  const asked = conditions.filter((c) => c.detail || c.answers?.length);
  const rest = conditions.filter((c) => !asked.includes(c));
  if (conditions.length === 0) return null;
  const initial = line.initial !== undefined || asked.some((c) => c.answers?.includes('initial'));
  return (
    <div className={styles.question}>
      {asked.map((c, i) => (
        <div key={c.sentence ?? `list-${i}`}>
          {c.sentence && <p>{t('condition.sentence', { sentence: c.sentence })}</p>}
          {c.detail && <p className={c.state === 'warned' ? styles.warning : styles.error}>{c.detail}</p>}
          {c.answers?.includes('confirmed') && c.sentence && (
            <Check
              label={t('condition.confirmed')}
              isSelected={(line.confirmed ?? []).includes(c.sentence)}
              onChange={(on) => onChange(change(line, 'confirmed', toggled(line.confirmed ?? [], c.sentence ?? '', on)))}
            />
          )}
          {c.answers?.includes('listed') && (
            <Check label={t('condition.listed')} isSelected={line.listed === true} onChange={(on) => onChange(change(line, 'listed', on || undefined))} />
          )}
        </div>
      ))}
      {initial && <InitialFields line={line} index={index} onChange={onChange} error={error} />}
      {rest.length > 0 && <p className={styles.soft}>{t('condition.others', { sentences: rest.map((c) => c.sentence).join(', ') })}</p>}
    </div>
  );
}

function toggled(list: readonly string[], sentence: string, on: boolean): string[] | undefined {
  const next = [...list.filter((s) => s !== sentence), ...(on ? [sentence] : [])];
  return next.length > 0 ? next : undefined;
}

/** Who started the treatment, and when; an emptied pair states nothing. */
function InitialFields({ line, index, onChange, error }: Omit<Props, 'conditions'>) {
  const t = useT('prescription');
  const [day, setDay] = useState(() => (line.initial?.on ?? '').split('-').reverse().join('/'));
  const put = (by: string, on: string) => onChange(change(line, 'initial', by === '' && on === '' ? undefined : { by, on }));
  return (
    <div className={styles.two}>
      <TextField
        label={t('condition.initialBy')}
        hint={t('condition.initialByHint')}
        name={`initialBy-${index}`}
        value={line.initial?.by ?? ''}
        onChange={(v) => put(v, line.initial?.on ?? '')}
        maxLength={200}
        error={error('initial.by')}
      />
      <DateField
        label={t('condition.initialOn')}
        name={`initialOn-${index}`}
        value={day}
        onChange={(text) => {
          setDay(text);
          put(line.initial?.by ?? '', readDate(text) ?? '');
        }}
        error={error('initial.on')}
      />
    </div>
  );
}
