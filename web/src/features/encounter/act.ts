import type { Encounter, Stay } from '@/api/deskTypes';

/** Nothing live can happen any more. */
export function closed(encounter: Pick<Encounter, 'status'>): boolean {
  return encounter.status === 'finished' || encounter.status === 'cancelled';
}

/** Milliseconds until the act is read again; false: it says all that is known. After the end its last measures come within seconds. */
export function nextReading(encounter: Pick<Encounter, 'status' | 'settled'>): number | false {
  if (!closed(encounter)) return 5_000;
  return encounter.status === 'finished' && !encounter.settled ? 1_000 : false;
}

/** What must be said of a stay beside its hours: nobody saw its end, or it was written after the act was over. */
export function notesOf(stay: Pick<Stay, 'endAssumed' | 'toldLate'>): ('assumed' | 'toldLate')[] {
  return [...(stay.endAssumed ? (['assumed'] as const) : []), ...(stay.toldLate ? (['toldLate'] as const) : [])];
}
