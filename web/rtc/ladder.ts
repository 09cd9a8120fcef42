// The repair ladder of docs/signaling.md §6.6: one clock from the last packet, one step after the other.

import { rungs } from './state';

export type Step = keyof typeof rungs;

/** How long a restart has before a new connection is tried, and each new connection before the next, in ms. */
const patience = rungs.rebuild - rungs.restart;

export class Ladder {
  /** When media was last heard, in ms of Date.now(); 0 while all is well. */
  since = 0;
  private timers = new Map<Step, ReturnType<typeof setTimeout>>();

  constructor(private readonly step: (s: Step) => void) {}

  /** Media is not heard since that moment (ms of Date.now()). Once begun it goes on. */
  fall(since: number) {
    if (this.since) return;
    this.since = since;
    for (const s of Object.keys(rungs) as Step[]) this.at(s, since + rungs[s] - Date.now());
  }

  /** ICE says that this path is dead, or the network changed: no waiting. */
  hurry() {
    this.rejoin();
    this.at('cut', 0);
    this.at('restart', 0);
  }

  /** Signalling had died with media and is new: a restart not tried yet is not waited for. */
  soon() {
    if (this.timers.has('restart')) this.at('restart', 0);
  }

  /** What stood is gone and a new connection is under way: it gets its time before the next. */
  rejoin() {
    this.since ||= Date.now();
    for (const s of ['restart', 'unstable', 'cut'] as const) this.drop(s);
    this.at('rebuild', patience);
    if (!this.timers.has('telephone')) this.at('telephone', this.since + rungs.telephone - Date.now());
  }

  /** Media is back. */
  rise() {
    this.since = 0;
    for (const s of [...this.timers.keys()]) this.drop(s);
  }

  private at(s: Step, ms: number) {
    this.drop(s);
    const go = () => {
      this.timers.delete(s);
      // A new connection may fail too: the next one gets the same time.
      if (s === 'rebuild') this.at('rebuild', patience);
      this.step(s);
    };
    this.timers.set(s, setTimeout(go, Math.max(0, ms)));
  }

  private drop(s: Step) {
    clearTimeout(this.timers.get(s));
    this.timers.delete(s);
  }
}
