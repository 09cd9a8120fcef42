/** The media engine, loaded when a room opens and not before. */
import type { Call } from '@rtc/api';
import * as calls from '@/api/calls';

/** A call of one encounter, not started; the ticket is asked for with the page's session. */
export async function openCall(encounter: string): Promise<Call> {
  const { createCall } = await import('@rtc');
  return createCall({
    encounter,
    admit: async (id, signal) => {
      const { ticket, url } = await calls.admission(id, signal);
      return { ticket, url };
    },
  });
}
