// Listens to the connection that carries: a measure each second, and its rhythm in between once that is loaded.

import type { Peer } from './peer';
import type { Rhythm, RhythmEvents } from './rhythm';
import { between, type Reading, type Sample } from './stats';

export interface ListeningEvents extends RhythmEvents {
  measured: (s: Sample) => void;
  /** A second is over. */
  tick: () => void;
}

const every = 1000;
/** A timer that slept (the page was in the background) says nothing about the link. In seconds. */
const slept = 3;

export class Listening {
  /** Of the last second; 0: not known. */
  rttMs = 0;
  private last: Reading | null = null;
  private timer: ReturnType<typeof setInterval> | null = null;
  private made: typeof Rhythm | null = null;
  private rhythm: Rhythm | null = null;

  constructor(private readonly on: ListeningEvents) {}

  begin() {
    this.timer ??= setInterval(() => void this.tick(), every);
    if (this.made) this.rhythm ??= new this.made(this.on, () => this.rttMs);
  }

  /** From now on the rhythm too. */
  closely(made: typeof Rhythm) {
    this.made = made;
    if (this.timer) this.begin();
  }

  stop() {
    if (this.timer) clearInterval(this.timer);
    this.rhythm?.stop();
    this.timer = this.rhythm = null;
  }

  /** Another connection carries. */
  anew() {
    this.last = null;
    this.rhythm?.anew();
  }

  private async tick() {
    const peer: Peer | null = this.on.carrier();
    const now = await peer?.reading().catch(() => null);
    if (now && peer === this.on.carrier()) {
      const before = this.last;
      this.last = now;
      const s = before && between(before, now);
      if (s && s.seconds <= slept) {
        this.rttMs = s.rttMs ?? 0;
        this.on.measured(s);
      }
    }
    this.on.tick();
  }
}
