import type { Encounter } from '@/api/deskTypes';

/** Nothing live can happen any more. */
export function closed(encounter: Pick<Encounter, 'status'>): boolean {
  return encounter.status === 'finished' || encounter.status === 'cancelled';
}
