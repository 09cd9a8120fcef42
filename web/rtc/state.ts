// The call's state as a pure function of what is known. Nothing else decides it.

import type { CallCause, CallState } from './api';
import type { MediaGate, SeatState } from './wire';

/** What the person's own acts and the server's last words have settled. */
export type Phase =
  | { at: 'idle' }
  | { at: 'started' }
  | { at: 'busy' }
  | { at: 'displaced' }
  | { at: 'over'; cause: CallCause }
  | { at: 'refused'; cause: CallCause };

/** Our PeerConnection: never up, up, or up before and cut since. */
export type Media = 'none' | 'up' | 'cut';

export interface Known {
  phase: Phase;
  seat?: SeatState;
  gate?: MediaGate;
  media: Media;
  /** Milliseconds since media was cut. */
  cutFor: number;
}

/** After that long without media the telephone is offered (docs/signaling.md §6.6). */
export const lostAfter = 60_000;

export function stateOf(k: Known): { state: CallState; cause?: CallCause } {
  switch (k.phase.at) {
    case 'idle':
    case 'busy':
    case 'displaced':
      return { state: k.phase.at };
    case 'over':
    case 'refused':
      return { state: k.phase.at, cause: k.phase.cause };
    case 'started':
      break;
  }
  if (!k.seat) return { state: 'entering' };
  if (k.seat !== 'admitted') return { state: 'waiting' };
  if (k.gate && !k.gate.allowed && k.gate.reason) return { state: 'blocked', cause: k.gate.reason };
  if (k.media === 'up') return { state: 'inCall' };
  if (k.media === 'cut') return { state: k.cutFor >= lostAfter ? 'lost' : 'repairing' };
  return { state: 'joining' };
}

/** Back-off of docs/signaling.md §4 in milliseconds; random is 0…1. */
export function backOff(attempt: number, random: number): number {
  const base = Math.min(300 * 2 ** attempt, 5000);
  return Math.min(base * (1 + 0.3 * random), 5000);
}
