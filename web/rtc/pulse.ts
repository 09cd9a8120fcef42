// The rhythm of what comes: when it stops, that is seen long before a measure each second could.

/** How often to look, in ms. A look that comes so much later (page in the background, busy processor) says nothing. */
export const lookEvery = 200;
const late = 500;
/** Silence that is noticed at the earliest, in ms: a voice that pauses (DTX) sends every 400. */
const shortest = 600;
/** So many times the longest of the usual pauses, and the round trip: a network that stutters is no network that is gone. */
const times = { usual: 2, rtt: 4 } as const;
/** Pauses that are remembered, and how many make a rhythm. */
const kept = 50;
const rhythm = 10;

export class Pulse {
  private mark: number | undefined;
  private changed = 0;
  private looked = 0;
  private pauses: number[] = [];
  private told = false;

  /** One look. `beat`: something came since the last; `silent`, once for each silence: it lasts longer than any usual pause. */
  look(mark: number | undefined, now: number, rttMs = 0): 'beat' | 'silent' | null {
    const gap = now - this.looked;
    this.looked = now;
    if (mark === undefined || gap > late) {
      this.mark = mark;
      this.changed = now;
      this.told = false;
      return null;
    }
    if (mark !== this.mark) {
      if (this.mark !== undefined) this.pauses = [...this.pauses, now - this.changed].slice(-kept);
      this.mark = mark;
      this.changed = now;
      this.told = false;
      return 'beat';
    }
    if (this.told || this.pauses.length < rhythm) return null;
    if (now - this.changed < Math.max(shortest, times.usual * Math.max(...this.pauses), times.rtt * rttMs)) return null;
    this.told = true;
    return 'silent';
  }

  /** ms since something came. */
  silence(now: number): number {
    return now - this.changed;
  }

  /** Another connection has another rhythm. */
  reset() {
    this.mark = undefined;
    this.pauses = [];
    this.told = false;
  }
}
