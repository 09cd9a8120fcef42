/** What a pharmacist may record about a sheet. Pure. */
import type { Counter, Given, PrescriptionLine } from '@/api/types';

export type Choice = { extent: 'full' | 'partial' | 'skip'; quantity: string };

/** The renewals at which something may be dispensed, the one that comes next first in mind. */
export function renewalsDue(counter: Counter): number[] {
  return [...new Set((counter.lines ?? []).filter((l) => l.due).map((l) => l.renewal))].sort((a, b) => a - b);
}

/** The lines that may be dispensed at a renewal, by their place on the sheet. */
export function linesDue(counter: Counter, renewal: number): number[] {
  return (counter.lines ?? []).filter((l) => l.due && l.renewal === renewal).map((l) => l.line);
}

/** Packages left of a line at a renewal; undefined when the doctor gave no number. */
export function left(counter: Counter, lines: readonly PrescriptionLine[], line: number, renewal: number): number | undefined {
  const wanted = Number(lines[line]?.quantity ?? 0);
  if (wanted === 0) return undefined;
  const given = counter.lines?.find((l) => l.line === line && l.renewal === renewal)?.given ?? 0;
  return Math.max(0, wanted - given);
}

/** What is sent: lines left for another time are absent; a full one without a number gives what is left. */
export function given(counter: Counter, lines: readonly PrescriptionLine[], renewal: number, choices: ReadonlyMap<number, Choice>): Given[] {
  return linesDue(counter, renewal).flatMap((line): Given[] => {
    const choice = choices.get(line) ?? { extent: 'full', quantity: '' };
    if (choice.extent === 'skip') return [];
    const typed = Number(choice.quantity.replace(/\D/g, '').slice(0, 3));
    const quantity = choice.extent === 'full' && typed === 0 ? (left(counter, lines, line, renewal) ?? 0) : typed;
    return [{ line, extent: choice.extent, quantity }];
  });
}

/** How a line is called at the counter. */
export function nameOf(line: PrescriptionLine | undefined): string {
  return line?.name || line?.text || '';
}
