// The moves between the call's states and the time each may take: what the tests hold the engine to. No page needs it.

import { rungs, type CallState } from './state';

export interface Move {
  from: readonly CallState[];
  to: CallState;
  /** What makes it. */
  because: string;
  /** Milliseconds from that to this, at most; measured from the last packet where the ladder says so. */
  within: number;
}

const started = ['preparing', 'waiting', 'blocked', 'held', 'joining', 'live', 'weak', 'reconnecting', 'lost'] as const;
const flowing = ['live', 'weak', 'reconnecting', 'lost'] as const;

/** Every move there is. A move that is not here is a defect of the engine. */
export const moves: readonly Move[] = [
  { from: ['idle', 'elsewhere', 'ended', 'refused'], to: 'preparing', because: 'start() or takeOver()', within: 0 },
  { from: ['idle', 'preparing', 'elsewhere', 'ended', 'refused'], to: 'refused', because: 'ticket refused, no WebRTC', within: 0 },
  { from: started, to: 'refused', because: 'socket closed with 1008, 1009, or 4001 three times', within: 0 },
  { from: started, to: 'elsewhere', because: '`busy`, or socket closed with 4009', within: 0 },
  { from: [...started, 'elsewhere'], to: 'ended', because: '`ended`, leave(), ticket 410, socket closed with 4010 or 4011', within: 0 },
  { from: ['idle', ...started, 'elsewhere', 'refused', 'ended'], to: 'idle', because: 'dispose()', within: 0 },
  { from: ['preparing', 'elsewhere', 'blocked', 'held', 'joining', ...flowing], to: 'waiting', because: '`welcome` or `room` of a seat not admitted', within: 0 },
  { from: ['preparing', 'elsewhere', 'waiting', 'held', 'joining', ...flowing], to: 'blocked', because: '`media` not allowed', within: 0 },
  { from: ['preparing', 'elsewhere', 'waiting', 'blocked', 'joining', ...flowing], to: 'held', because: '`room` with `held`', within: 0 },
  { from: ['preparing', 'elsewhere', 'waiting', 'blocked', 'held', ...flowing], to: 'joining', because: 'admitted and allowed, no connection yet', within: 0 },
  { from: ['joining', 'held', 'weak', 'reconnecting', 'lost'], to: 'live', because: 'connection up, or heard again, or the quality word is good', within: 15_000 },
  { from: ['joining', 'live', 'held'], to: 'weak', because: 'nothing heard', within: rungs.unstable },
  { from: ['live', 'held', 'reconnecting', 'lost'], to: 'weak', because: 'two bad seconds', within: 3000 },
  { from: ['joining', 'live', 'weak', 'held'], to: 'reconnecting', because: 'nothing heard, ICE failed, or signalling away', within: rungs.cut },
  { from: ['reconnecting', 'weak', 'live', 'held'], to: 'lost', because: 'nothing heard', within: rungs.telephone },
  { from: ['lost'], to: 'reconnecting', because: 'media back while signalling is away', within: 0 },
];

/** The move that allows this change; undefined when there is none. */
export function moveOf(from: CallState, to: CallState): Move | undefined {
  return moves.find((m) => m.to === to && m.from.includes(from));
}
