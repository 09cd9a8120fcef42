/** The media engine, loaded when a room opens and not before. */
import type { Call, CallOptions } from '@rtc/api';
import * as calls from '@/api/calls';

type Engine = { createCall: (options: CallOptions) => Call };

// A glob and not a plain import: the pages build on their own, the engine is a room of its own (house.md §7).
const engines = import.meta.glob<Engine>('../../../rtc/index.ts');

/** A call of one encounter, not started; the ticket is asked for with the page's session. */
export async function openCall(encounter: string): Promise<Call> {
  const load = Object.values(engines)[0];
  if (!load) throw new Error('the media engine is not in this build');
  const engine = await load();
  return engine.createCall({
    encounter,
    admit: async (id) => {
      const { ticket, url } = await calls.admission(id);
      return { ticket, url };
    },
  });
}
