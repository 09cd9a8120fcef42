/** Allergies and current treatments, if the patient wants to say something of them; shown to the doctor beside the prescription. */
import { useState } from 'react';
import { useT } from '@/i18n/i18n';
import { DeclaredField, notGiven, sentSubject, type DeclaredSubject } from '@/ui/Declared';
import styles from './booking.module.css';

export type DeclaredForm = { allergies: DeclaredSubject; treatments: DeclaredSubject };

export const emptyDeclared: DeclaredForm = { allergies: notGiven, treatments: notGiven };

/** The part of a booking that says it; nothing when nothing is said. A list without words says nothing. */
export function declaredOf(form: DeclaredForm) {
  const said = (s: DeclaredSubject) => (s.state === 'listed' && s.text.trim() === '' ? notGiven : s);
  const { allergies, treatments } = { allergies: said(form.allergies), treatments: said(form.treatments) };
  if (allergies.state === '' && treatments.state === '') return {};
  return { declared: { allergies: sentSubject(allergies), treatments: sentSubject(treatments) } };
}

export function DeclaredSection({ form, onChange }: { form: DeclaredForm; onChange: (form: DeclaredForm) => void }) {
  const t = useT('booking');
  const words = (subject: 'allergies' | 'treatments') => ({
    legend: t(`declared.${subject}`),
    notGiven: t('declared.notGiven'),
    none: t(`declared.${subject}.none`),
    listed: t(`declared.${subject}.listed`),
    text: t(`declared.${subject}.text`),
  });
  // The form keeps its five fields (product B11) until somebody opens this.
  const [open, setOpen] = useState(false);
  return (
    <details className={styles.declared} onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{t('declared.title')}</summary>
      {open && (
        <>
          <p className={styles.soft}>{t('declared.why')}</p>
          <DeclaredField name="allergies" words={words('allergies')} value={form.allergies} onChange={(allergies) => onChange({ ...form, allergies })} />
          <DeclaredField name="treatments" words={words('treatments')} value={form.treatments} onChange={(treatments) => onChange({ ...form, treatments })} />
        </>
      )}
    </details>
  );
}
