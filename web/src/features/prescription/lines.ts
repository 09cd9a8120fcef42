/** Lines of a prescription as they are written and read. Pure. */
import type { Medicine } from '@/api/deskTypes';
import type { PrescriptionCategory, PrescriptionLine } from '@/api/types';
import { firstDosage, whole } from './dosage';

export const categories: readonly PrescriptionCategory[] = ['medicines', 'biology', 'imaging', 'nursing', 'physiotherapy', 'device', 'other'];

export const reasons = ['MTE', 'EFG', 'CIF'] as const;

/** What each field of a medicine line is called in the API, in the order of the form. */
export const medicineFields = ['name', 'inn', 'notRestricted', 'strength', 'form', 'dose', 'frequency', 'dosage.doseQuantity', 'dosage.unit', 'dosage.timing', 'dosage.maxDosePerDay', 'durationDays', 'quantity', 'renewals', 'nonSubstitutable', 'workAccidentDate', 'pharmacist', 'initial.by', 'initial.on', 'confirmed', 'listed'] as const;
export const textFields = ['text', 'lpp', 'quantity', 'durationDays', 'renewals', 'workAccidentDate', 'pharmacist'] as const;

export function medicineLine(m: Medicine): PrescriptionLine {
  if (m.regulated) return { regulated: m.regulated, name: m.regulated, inn: m.inn ?? '', strength: '', form: '', dosage: firstDosage('comprimé'), renewals: 0, ald: false, notReimbursable: false, offLabel: false };
  return { cis: m.cis, name: m.name, inn: m.inn ?? '', form: m.form ?? '', dosage: firstDosage(`${m.form ?? ''} ${m.name}`), renewals: 0, ald: false, notReimbursable: false, offLabel: false };
}

/** A medicine that the index does not know, written by hand. */
export function freeMedicine(name: string): PrescriptionLine {
  return { name, inn: '', form: '', dose: '', frequency: '', renewals: 0, ald: false, notReimbursable: false, offLabel: false };
}

/** The speciality chosen instead of words; how long, how many and what is said of them stay. */
export function chosenLine(line: PrescriptionLine, m: Medicine): PrescriptionLine {
  const { cis: _, name, inn: __, form, notRestricted: ___, regulated: ____, strength: _____, ...kept } = line;
  const words = kept.dose || kept.frequency;
  const { dosage, ...chosen } = medicineLine(m);
  const typed = m.regulated ? { strength: /\d+(?:[.,]\d+)?\s?(?:mg|µg|g|%)(?![a-z])/i.exec(name ?? '')?.[0] ?? '', form: form ?? '' } : {};
  return { ...chosen, ...typed, ...(kept.dosage || words || !dosage ? {} : { dosage }), ...kept };
}

/** What the line is called; for a regulated medicine, as the server will print it. */
export function lineName(line: PrescriptionLine): string {
  if (!line.regulated) return line.name ?? '';
  return [[line.regulated, line.strength].filter(Boolean).join(' '), line.form].filter(Boolean).join(', ');
}

/** The line with a name that it does not prescribe. */
export function confirmed(line: PrescriptionLine, name: string): PrescriptionLine {
  return { ...line, notPrescribed: [...(line.notPrescribed ?? []).filter((n) => n !== name), name] };
}

/** The line with a match that was seen: what the patient declared is named by the warning's code and substance. */
export function acknowledged(line: PrescriptionLine, code: string, name: string): PrescriptionLine {
  const mark = `${code}:${name}`;
  return { ...line, acknowledged: [...(line.acknowledged ?? []).filter((a) => a !== mark), mark] };
}

/** Whole number typed in a field; undefined while there is none. */
export function readCount(text: string): number | undefined {
  const digits = text.replace(/\D/g, '').slice(0, 4);
  return digits === '' ? undefined : Number(digits);
}

export function showCount(value: number | string | undefined): string {
  return value === undefined ? '' : String(value);
}

/** The line with one field changed; an emptied field is absent, as the server expects. */
export function change<K extends keyof PrescriptionLine>(line: PrescriptionLine, field: K, value: PrescriptionLine[K] | undefined): PrescriptionLine {
  const { [field]: _, ...rest } = line;
  return value === undefined ? rest : { ...rest, [field]: value };
}

/** Is there enough in the line to read it as a sentence rather than as a form? */
export function complete(line: PrescriptionLine): boolean {
  if (line.text !== undefined) return true;
  const said = line.dosage ? whole(line.dosage) : Boolean(line.dose && line.frequency);
  const named = line.regulated ? line.strength && line.form : line.cis || line.inn;
  return Boolean(line.name && said && line.durationDays && named);
}

/** What is written of a sheet: its lines, and what of the patient they depend on. */
export type Written = { lines: PrescriptionLine[]; weightKg?: number; heightCm?: number };

/** The lines that are sent: empty free texts are left out. The server names what it says of a line by its place among them. */
export function sent(lines: readonly PrescriptionLine[]): PrescriptionLine[] {
  return lines.filter((l) => l.text === undefined || l.text.trim() !== '');
}

/** What is sent of them: texts trimmed. */
export function clean(lines: readonly PrescriptionLine[]): PrescriptionLine[] {
  return sent(lines).map((l) => Object.fromEntries(Object.entries(l).map(([k, v]) => [k, typeof v === 'string' ? v.trim() : v])) as PrescriptionLine);
}
