/** Allergies and current treatments, if the patient wants to say something of them; shown to the doctor beside the prescription. */
import { useState } from 'react';
import { useT } from '@/i18n/i18n';
import { DeclaredField, namesNothing, notGiven, sentSubject, type DeclaredSubject } from '@/ui/Declared';
import styles from './booking.module.css';

export type DeclaredForm = { allergies: DeclaredSubject; treatments: DeclaredSubject };

export const emptyDeclared: DeclaredForm = { allergies: notGiven, treatments: notGiven };

/** Subjects of which somebody says that there is something, and not what. They are asked: "I have allergies" is never taken for "not given". */
export const unnamed = (form: DeclaredForm) => (['allergies', 'treatments'] as const).filter((s) => namesNothing(form[s]));

/** The part of a booking that says it; nothing when nothing is said. */
export function declaredOf({ allergies, treatments }: DeclaredForm) {
  if (allergies.state === '' && treatments.state === '') return {};
  return { declared: { allergies: sentSubject(allergies), treatments: sentSubject(treatments) } };
}

export function DeclaredSection({ form, onChange, asked }: { form: DeclaredForm; onChange: (form: DeclaredForm) => void; asked: boolean }) {
  const t = useT('booking');
  const words = (subject: 'allergies' | 'treatments') => ({
    legend: t(`declared.${subject}`),
    notGiven: t('declared.notGiven'),
    none: t(`declared.${subject}.none`),
    listed: t(`declared.${subject}.listed`),
    text: t(`declared.${subject}.text`),
  });
  // The form keeps its five fields (product B11) until somebody opens this.
  const [opened, setOpen] = useState(false);
  const missing = asked ? unnamed(form) : [];
  const open = opened || missing.length > 0;
  const error = (subject: 'allergies' | 'treatments') => (missing.includes(subject) ? t(`declared.${subject}.missing`) : undefined);
  return (
    <details className={styles.declared} open={open} onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{t('declared.title')}</summary>
      {open && (
        <>
          <p className={styles.soft}>{t('declared.why')}</p>
          <DeclaredField name="allergies" words={words('allergies')} value={form.allergies} onChange={(allergies) => onChange({ ...form, allergies })} error={error('allergies')} />
          <DeclaredField name="treatments" words={words('treatments')} value={form.treatments} onChange={(treatments) => onChange({ ...form, treatments })} error={error('treatments')} />
        </>
      )}
    </details>
  );
}
