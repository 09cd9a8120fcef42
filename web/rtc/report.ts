// What the call tells the server of its own quality: figures and faults, never a word of what was said.

import type { QualityWord } from './quality';
import type { Sample } from './stats';

export type FaultName =
  | 'camera-lost'
  | 'microphone-lost'
  | 'microphone-silent'
  | 'permission-lost'
  | 'interrupted'
  | 'ice-restart'
  | 'rejoin'
  | 'signalling-lost'
  | 'offline'
  | 'device-changed';

/** The message `quality` of docs/signaling.md, without its numbers. */
export interface QualityReport {
  t: 'quality';
  word: QualityWord;
  /** Length of the window, in ms. */
  ms: number;
  rttMs?: number;
  upKbps?: number;
  downKbps?: number;
  upLoss?: number;
  downLoss?: number;
  freezes?: number;
  freezeMs?: number;
  pair?: Sample['pair'];
  faults?: { what: FaultName; ms?: number }[];
}

/** Of one window; the server takes no more. */
const mostFaults = 16;
/** Nor anything longer: an hour. */
const longest = 3_600_000;
const bounded = (ms: number) => Math.min(longest, Math.max(0, Math.round(ms)));
const three = (x: number) => Math.round(x * 1000) / 1000;

export class Reporter {
  private samples: Sample[] = [];
  private faults: { what: FaultName; ms?: number }[] = [];
  private open = new Map<FaultName, number>();
  private from = Date.now();

  add(s: Sample) {
    this.samples.push(s);
  }

  /** Something that happens at once, or lasted so many ms. */
  note(what: FaultName, ms?: number) {
    if (this.faults.length < mostFaults) this.faults.push({ what, ...(ms === undefined ? {} : { ms: bounded(ms) }) });
  }

  /** Something begins; it is told when it is over, with how long it lasted. */
  begin(what: FaultName) {
    if (!this.open.has(what)) this.open.set(what, Date.now());
  }

  /** It is over; nothing when it never began. */
  end(what: FaultName) {
    const since = this.open.get(what);
    if (since === undefined) return;
    this.open.delete(what);
    this.note(what, Date.now() - since);
  }

  /** There is something to tell although no media was measured. */
  get pending(): boolean {
    return this.faults.length > 0;
  }

  /** Closes the window and gives its report. */
  take(word: QualityWord): QualityReport {
    const list = this.samples;
    const total = list.reduce((t, s) => t + s.seconds, 0);
    const mean = (f: (s: Sample) => number) => list.reduce((t, s) => t + f(s) * s.seconds, 0) / total;
    const sum = (f: (s: Sample) => number) => list.reduce((t, s) => t + f(s), 0);
    const last = list.at(-1);
    const report: QualityReport = {
      t: 'quality',
      word,
      ms: bounded(Date.now() - this.from),
      ...(last?.rttMs === undefined ? {} : { rttMs: last.rttMs }),
      ...(last && total > 0
        ? {
            upKbps: Math.round(mean((s) => s.upKbps)),
            downKbps: Math.round(mean((s) => s.downKbps)),
            upLoss: three(mean((s) => s.upLoss)),
            downLoss: three(mean((s) => s.downLoss)),
            freezes: sum((s) => s.freezes),
            freezeMs: bounded(sum((s) => s.freezeMs)),
          }
        : {}),
      ...(last?.pair ? { pair: last.pair } : {}),
      ...(this.faults.length > 0 ? { faults: this.faults } : {}),
    };
    this.samples = [];
    this.faults = [];
    this.from = Date.now();
    return report;
  }
}
