import type { PrescriptionLine } from '@/api/types';
import { useT } from '@/i18n/i18n';
import styles from './verify.module.css';

/** Lines of a prescription in full words, with every mention that the law wants on it. */
export function Lines({ lines }: { lines: readonly PrescriptionLine[] }) {
  return (
    <ol className={styles.lines}>
      {lines.map((line, i) => (
        <li key={i}>{line.text ? <Words line={line} /> : <Medicine line={line} />}</li>
      ))}
    </ol>
  );
}

const reasons = { MTE: 'line.mte', EFG: 'line.efg', CIF: 'line.cif' } as const;

/** An exam or care in words; a device with its code, its number and how long. */
function Words({ line }: { line: PrescriptionLine }) {
  const t = useT('verify');
  const facts = [line.lpp ? t('line.lpp', { code: line.lpp }) : '', line.quantity ? t('line.quantity', { quantity: line.quantity }) : '', line.durationDays ? t('line.days', { count: line.durationDays }) : ''];
  return (
    <>
      <p>{line.text}</p>
      {facts.some(Boolean) && <p>{facts.filter(Boolean).join(', ')}</p>}
      <Mentions line={line} />
    </>
  );
}

/** What reimburses the line, what excludes a substitution, the words for the pharmacist. */
function Mentions({ line }: { line: PrescriptionLine }) {
  const t = useT('verify');
  const mentions = [
    line.nonSubstitutable ? t(reasons[line.nonSubstitutable]) : '',
    line.ald ? t('line.ald') : '',
    line.workAccident ? t('line.workAccident') : '',
    line.notReimbursable ? t('line.nr') : '',
    line.offLabel ? t('line.offLabel') : '',
    line.pharmacist ? t('line.toPharmacist', { text: line.pharmacist }) : '',
  ];
  return mentions.filter(Boolean).map((m) => <p key={m}>{m}</p>);
}

function Medicine({ line }: { line: PrescriptionLine }) {
  const t = useT('verify');
  const posology = [line.dose, line.frequency, line.durationDays ? t('line.days', { count: line.durationDays }) : ''];
  const amount = [
    line.quantity ? t('line.quantity', { quantity: line.quantity }) : '',
    line.renewals ? t('line.renewals', { count: line.renewals }) : '',
  ];
  return (
    <>
      <p className={styles.name}>{nameWithForm(line)}</p>
      {line.inn && line.inn !== line.name && <p className={styles.soft}>{line.inn}</p>}
      {/* A structured dosage is one sentence, as on the sheet; words typed apart are listed. */}
      <p>{posology.filter(Boolean).join(line.dosage ? ' ' : ', ')}</p>
      <p>{amount.filter(Boolean).join(', ')}</p>
      <Mentions line={line} />
    </>
  );
}

/** The form after the name, unless the name says it already (« PARACÉTAMOL 500 mg, comprimé »). */
function nameWithForm({ name = '', form = '' }: PrescriptionLine): string {
  if (form === '' || name.toLowerCase().includes(form.toLowerCase())) return name;
  return `${name}, ${form}`;
}
