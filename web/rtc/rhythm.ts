// Looks several times a second whether the streams go on, so that a path that is gone is known before a second is over.

import type { Peer } from './peer';
import { lookEvery, Pulse } from './pulse';
import { between } from './stats';

export interface RhythmEvents {
  /** The connection that carries, once it stood. */
  carrier: () => Peer | null;
  /** The streams stopped: people may only have fallen silent. What took the way of media may have taken that of the socket. */
  doubt: () => void;
  /** Nothing at all comes any more, since that moment (ms of Date.now()). */
  silent: (since: number) => void;
  /** Something came. */
  beat: () => void;
}

/** How long nothing at all must come, once the streams have stopped, in ms: feedback for what we send comes more often. */
const sureAfter = 300;

export class Rhythm {
  private readonly pulse = new Pulse();
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(
    private readonly on: RhythmEvents,
    private readonly rttMs: () => number,
  ) {
    this.timer = setInterval(() => this.look(), lookEvery);
  }

  stop() {
    clearInterval(this.timer);
  }

  /** Another connection carries. */
  anew() {
    this.pulse.reset();
  }

  private look() {
    const peer = this.on.carrier();
    if (!peer?.connected) return this.pulse.reset();
    const now = performance.now();
    const heard = this.pulse.look(peer.pulse(), now, this.rttMs());
    if (heard === 'beat') this.on.beat();
    else if (heard === 'silent') void this.suspect(peer, Date.now() - this.pulse.silence(now)).catch(() => undefined);
  }

  /** It is the path that is gone when not even feedback for what we send comes. */
  private async suspect(peer: Peer, since: number) {
    this.on.doubt();
    const before = await peer.reading();
    await new Promise((done) => setTimeout(done, sureAfter));
    if (peer !== this.on.carrier() || !peer.connected) return;
    const s = between(before, await peer.reading());
    if (!s.heard && s.spoke && this.pulse.silence(performance.now()) >= sureAfter) this.on.silent(since);
  }
}
