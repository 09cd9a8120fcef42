/** A dose that a program can read, and the one sentence that says it; the server prints the same (testdata/dosage.json). Pure. */
import type { Dosage, PrescriptionLine } from '@/api/types';

export const units = ['{tablet}', '{capsule}', '{sachet}', 'mL', '[drp]', '{puff}', '{application}', '{suppository}', '{patch}', '{injection}', '[iU]', 'ug', 'mg', 'g'] as const;
export type Unit = (typeof units)[number];

const names: Record<Unit, string> = {
  '{tablet}': 'tablet', '{capsule}': 'capsule', '{sachet}': 'sachet', '{suppository}': 'suppository', '{puff}': 'puff', '{application}': 'application',
  '{patch}': 'patch', '{injection}': 'injection', '[drp]': 'drop', '[iU]': 'unit', mL: 'ml', ug: 'ug', mg: 'mg', g: 'g',
};

export function unitName(code: string): string {
  return names[code as Unit] ?? 'tablet';
}

type Timing = Dosage['timing'];
type Moment = NonNullable<Timing['when']>[number];
const moments: readonly Moment[] = ['MORN', 'NOON', 'EVE', 'HS'];

/** The timings that the list offers, by name; others come from another program and are kept. */
export const timings: Readonly<Record<string, Timing>> = {
  morn: { when: ['MORN'] },
  noon: { when: ['NOON'] },
  eve: { when: ['EVE'] },
  hs: { when: ['HS'] },
  'morn.eve': { when: ['MORN', 'EVE'] },
  'morn.noon.eve': { when: ['MORN', 'NOON', 'EVE'] },
  'morn.noon.eve.hs': { when: ['MORN', 'NOON', 'EVE', 'HS'] },
  daily1: { frequency: 1, period: 1, periodUnit: 'd' },
  daily2: { frequency: 2, period: 1, periodUnit: 'd' },
  daily3: { frequency: 3, period: 1, periodUnit: 'd' },
  daily4: { frequency: 4, period: 1, periodUnit: 'd' },
  hours4: { frequency: 1, period: 4, periodUnit: 'h' },
  hours6: { frequency: 1, period: 6, periodUnit: 'h' },
  hours8: { frequency: 1, period: 8, periodUnit: 'h' },
  hours12: { frequency: 1, period: 12, periodUnit: 'h' },
  days2: { frequency: 1, period: 2, periodUnit: 'd' },
  days3: { frequency: 1, period: 3, periodUnit: 'd' },
  weekly1: { frequency: 1, period: 1, periodUnit: 'wk' },
};

/** The name of a timing in the list; empty while none is chosen. */
export function timingName(t: Timing): string {
  if (t.when?.length) return moments.filter((m) => t.when?.includes(m)).map((m) => m.toLowerCase()).join('.');
  if (!t.period || !t.frequency) return '';
  if (t.periodUnit === 'h') return `hours${t.period}`;
  if (t.periodUnit === 'wk') return `weekly${t.frequency}`;
  return t.period > 1 ? `days${t.period}` : `daily${t.frequency}`;
}

export type Say = (key: string, params?: Record<string, string | number>) => string;

/** « matin et soir »; empty while nothing is chosen. */
export function sayTiming(t: Timing, say: Say): string {
  if (t.when?.length) return say(`dosage.${timingName(t)}`);
  if (!t.period || !t.frequency) return '';
  if (t.periodUnit === 'h') return say('dosage.hours', { n: t.period });
  if (t.periodUnit === 'wk') return t.frequency === 1 ? say('dosage.onceWeekly') : say('dosage.weekly', { n: t.frequency });
  if (t.period > 1) return say('dosage.days', { n: t.period });
  return t.frequency === 1 ? say('dosage.onceDaily') : say('dosage.daily', { n: t.frequency });
}

/** ½ and 1 ½ of what is counted, 2,5 of what is measured. */
export function sayAmount(value: number, code: string, language: 'fr' | 'en'): string {
  const sign = { 0.25: '¼', 0.5: '½', 0.75: '¾' }[value % 1];
  const measured = code === 'mL' || code === 'ug' || code === 'mg' || code === 'g';
  if (!sign || measured) return String(value).replace('.', language === 'fr' ? ',' : '.');
  return value < 1 ? sign : `${Math.floor(value)} ${sign}`;
}

/** « 1 ½ comprimé » but “1 ½ tablets”: the plural begins at two in French, above one in English. */
export function sayDose(value: number, code: string, say: Say, language: 'fr' | 'en'): string {
  const many = language === 'fr' ? value >= 2 : value > 1;
  return say(`unit.${unitName(code)}`, { count: many ? 2 : 1, amount: sayAmount(value, code, language) });
}

/** The sentence of the sheet: « 1 comprimé matin et soir pendant 7 jours ». */
export function sentence(d: Dosage, days: number | undefined, say: Say, language: 'fr' | 'en'): string {
  const dose = d.doseQuantity.value > 0 ? sayDose(d.doseQuantity.value, d.doseQuantity.code, say, language) : '';
  let out = [dose, sayTiming(d.timing, say)].filter(Boolean).join(' ');
  if (d.asNeededBoolean) out += say('dosage.needed');
  if (d.maxDosePerDay) out += say('dosage.most', { dose: sayDose(d.maxDosePerDay, d.doseQuantity.code, say, language) });
  if (days) out += (d.maxDosePerDay ? ', ' : ' ') + say('say.days', { count: days });
  return out;
}

/** Is there enough to print? */
export function whole(d: Dosage): boolean {
  return d.doseQuantity.value > 0 && timingName(d.timing) !== '' && (!d.asNeededBoolean || Boolean(d.maxDosePerDay));
}

/** One unit of what the form suggests; when it is taken is the doctor's to say. */
export function firstDosage(form: string): Dosage {
  const words = form.toLowerCase();
  const found = ([
    ['comprimé', '{tablet}'], ['gélule', '{capsule}'], ['capsule', '{capsule}'], ['sachet', '{sachet}'], ['suppositoire', '{suppository}'], ['collyre', '[drp]'],
    ['goutte', '[drp]'], ['inhal', '{puff}'], ['crème', '{application}'], ['gel', '{application}'], ['pommade', '{application}'], ['mousse', '{application}'],
    ['transdermique', '{patch}'], ['stylo', '{injection}'], ['injectable', '{injection}'], ['buvable', 'mL'], ['sirop', 'mL'],
  ] as const).find(([word]) => words.includes(word));
  return { doseQuantity: { value: 1, code: found?.[1] ?? '{tablet}' }, timing: {} };
}

/** A number typed with a comma or a point; 0 while there is none. */
export function readAmount(text: string): number {
  const n = Number(text.replace(',', '.').replace(/[^\d.]/g, ''));
  return Number.isFinite(n) ? Math.min(n, 100000) : 0;
}

/** Takes the structure away and keeps its words, or the reverse. */
export function asText(line: PrescriptionLine, say: Say, language: 'fr' | 'en'): PrescriptionLine {
  const { dosage, ...rest } = line;
  if (!dosage) return { ...rest, dose: '', frequency: '', dosage: firstDosage(line.form ?? '') };
  return { ...rest, dose: dosage.doseQuantity.value > 0 ? sayDose(dosage.doseQuantity.value, dosage.doseQuantity.code, say, language) : '', frequency: sayTiming(dosage.timing, say) };
}
