// The call's states and their causes: data, and one pure function from what is known to where the call stands. Nothing else
// decides it. The moves between them are in moves.ts.

import type { QualityWord } from './quality';
import type { EndReason, MediaGate, MediaReason, SeatState } from './wire';

/** Where the whole call stands for this person. */
export type CallState =
  /** made, not started */
  | 'idle'
  /** ticket, socket, hello; `offline`: the device has no network */
  | 'preparing'
  /** the seat is held by another tab or device (`asked`), or was taken by one (`taken`): takeOver() */
  | 'elsewhere'
  /** in the waiting room */
  | 'waiting'
  /** admitted, but media may not flow: the cause says why */
  | 'blocked'
  /** the host speaks with others for a moment: this seat neither hears nor sees, nor is heard or seen */
  | 'held'
  /** admitted and allowed: offer, ICE, DTLS */
  | 'joining'
  /** media flows */
  | 'live'
  /** media flows badly: the cause says how */
  | 'weak'
  /** a connection is away and comes back by itself: the cause says which */
  | 'reconnecting'
  /** media has been away for 60 s: the telephone is offered; repair goes on */
  | 'lost'
  /** over: the cause is an EndReason or `left` */
  | 'ended'
  /** cannot enter: the cause says why; only start() again tries again */
  | 'refused';

export type CallCause =
  | MediaReason
  | EndReason
  | 'left'
  /** elsewhere: another tab or device holds the seat */ | 'asked'
  /** elsewhere: another tab or device took it */ | 'taken'
  /** weak: nothing has come for 2 s */ | 'unstable'
  /** weak: the quality word */ | 'weak'
  /** weak: no picture, sound only */ | 'audio-only'
  /** reconnecting, lost: picture and sound are away */ | 'media'
  /** reconnecting: only signalling is away, picture and sound go on */ | 'signalling'
  /** preparing, reconnecting, lost: the device says that it has no network */ | 'offline'
  /** refused: no session (401) */ | 'signed_out'
  /** refused: no such encounter or not yours (404) */ | 'not_found'
  /** refused: protocol broken on our side */ | 'protocol'
  /** refused: the browser has no WebRTC */ | 'unsupported';

/** What the person's own acts and the server's last words have settled. */
export type Phase =
  | { at: 'idle' }
  | { at: 'started' }
  | { at: 'elsewhere'; cause: 'asked' | 'taken' }
  | { at: 'ended'; cause: CallCause }
  | { at: 'refused'; cause: CallCause };

/** Our PeerConnection: never up; up; quiet (nothing for 2 s); cut (repair under way). */
export type Media = 'none' | 'up' | 'unstable' | 'cut';

export interface Known {
  phase: Phase;
  seat?: SeatState;
  held?: boolean;
  gate?: MediaGate;
  media: Media;
  /** Milliseconds since media was last heard, while it is cut. */
  cutFor: number;
  /** Signalling is away. */
  signalling: boolean;
  offline: boolean;
  quality: QualityWord;
}

/** The repair ladder (docs/signaling.md §6.6), in ms since the last packet: a new path is tried before anything is shown. */
export const rungs = { restart: 1500, unstable: 2000, cut: 3000, rebuild: 9500, telephone: 60_000 } as const;

export function stateOf(k: Known): { state: CallState; cause?: CallCause } {
  switch (k.phase.at) {
    case 'idle':
      return { state: 'idle' };
    case 'elsewhere':
    case 'ended':
    case 'refused':
      return { state: k.phase.at, cause: k.phase.cause };
    case 'started':
      break;
  }
  if (!k.seat) return { state: 'preparing', ...(k.offline ? { cause: 'offline' as const } : {}) };
  if (k.seat !== 'admitted') return { state: 'waiting' };
  if (k.gate && !k.gate.allowed && k.gate.reason) return { state: 'blocked', cause: k.gate.reason };
  if (k.held) return { state: 'held' };
  if (k.media === 'cut') return { state: k.cutFor >= rungs.telephone ? 'lost' : 'reconnecting', cause: k.offline ? 'offline' : 'media' };
  if (k.media === 'none') return { state: 'joining' };
  if (k.media === 'unstable') return { state: 'weak', cause: 'unstable' };
  if (k.signalling) return { state: 'reconnecting', cause: 'signalling' };
  return k.quality === 'weak' || k.quality === 'audio-only' ? { state: 'weak', cause: k.quality } : { state: 'live' };
}

/** True while the page shows the people of the call, however well it goes. */
export const inCall = (s: CallState) => s === 'live' || s === 'weak' || s === 'reconnecting' || s === 'lost';

/** Back-off of docs/signaling.md §4 in milliseconds; random is 0…1. */
export function backOff(attempt: number, random: number): number {
  const base = Math.min(300 * 2 ** attempt, 5000);
  return Math.min(base * (1 + 0.3 * random), 5000);
}
