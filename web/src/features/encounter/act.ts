import type { Encounter, Stay } from '@/api/deskTypes';

/** Nothing live can happen any more. */
export function closed(encounter: Pick<Encounter, 'status'>): boolean {
  return encounter.status === 'finished' || encounter.status === 'cancelled';
}

/** What must be said of a stay beside its hours: nobody saw its end, or it was written after the act was over. */
export function notesOf(stay: Pick<Stay, 'endAssumed' | 'toldLate'>): ('assumed' | 'toldLate')[] {
  return [...(stay.endAssumed ? (['assumed'] as const) : []), ...(stay.toldLate ? (['toldLate'] as const) : [])];
}
