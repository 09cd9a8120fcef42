// What each second of media means: the link in a word, how much of our picture goes out, how long sound is held back,
// which pictures stand still, and the report of it all.

import type { Media } from './state';
import { Cushion, Steady, Thrift, wordOf, type QualityWord, type Share } from './quality';
import { Reporter, type QualityReport } from './report';
import type { Sample } from './stats';
import type { Slot } from './wire';

export interface MeasureEvents {
  report: (r: QualityReport) => void;
  changed: () => void;
  /** A picture of that seat should come. */
  expects: (seat: string) => boolean;
  /** Our camera is on. */
  sendsCamera: () => boolean;
  /** Of our picture so much is to go out; `lossy`: the voice is worth sending twice all the same. */
  shape: (share: Share, lossy: boolean) => void;
  /** Sound is to be held back so long, in ms; null: as the browser likes. */
  hold: (ms: number | null) => void;
}

const reportAtMost = 1000;
const reportEvery = 10_000;
/** Seconds without a new picture before we say that it stands still. */
const stillAfter = 2;

export class Measure {
  readonly reporter = new Reporter();
  private readonly steady = new Steady();
  private readonly thrift = new Thrift();
  private readonly cushion = new Cushion();
  private readonly stillFor = new Map<string, number>();
  private reportedAt = 0;
  private toReport = false;
  /** Media was lost since the last report, maybe between two seconds. */
  private wasLost = false;

  constructor(private readonly on: MeasureEvents) {}

  get word(): QualityWord {
    return this.steady.word;
  }

  /** How much of our own picture goes out; not all of it: the upload is too weak. */
  get share(): Share {
    return this.thrift.share;
  }

  get lossy(): boolean {
    return this.thrift.lossy;
  }

  /** ms; null: as the browser likes. */
  get held(): number | null {
    return this.cushion.ms;
  }

  begin() {
    this.reportedAt ||= Date.now();
  }

  /** Another connection, or a camera just opened: what was learnt of the upload is old. */
  fresh() {
    this.thrift.reset();
  }

  lost() {
    this.toReport = this.wasLost = true;
  }

  back() {
    this.toReport = true;
  }

  /** The call is over, or waits for permission. */
  reset() {
    this.steady.reset();
    this.forget();
  }

  /** Other sections carry the pictures now. */
  forget() {
    this.stillFor.clear();
  }

  /** One second of media that is up, over a connection whose sections carry that. */
  add(s: Sample, bound: readonly Slot[]) {
    if (this.cushion.add(s)) this.on.hold(this.cushion.ms);
    const own = this.on.sendsCamera();
    if (own && this.thrift.add(s)) this.on.shape(this.thrift.share, this.thrift.lossy);
    const hidden = globalThis.document?.hidden === true;
    // Sections in which a camera should be seen, and was.
    const pictures = hidden ? [] : bound.filter((b) => b.source === 'camera' && this.on.expects(b.seat)).map((b) => b.mid);
    const stillChanged = this.watch(s, pictures);
    if (this.steady.add(wordOf(s, { pictures, ownStopped: own && this.share !== 'full' }))) {
      this.toReport = true;
      this.on.changed();
    } else if (stillChanged) this.on.changed();
  }

  still(mid: string): boolean {
    return (this.stillFor.get(mid) ?? 0) >= stillAfter;
  }

  private watch(s: Sample, pictures: readonly string[]): boolean {
    const stand = () => [...this.stillFor.keys()].filter((mid) => this.still(mid)).join();
    const before = stand();
    for (const mid of [...this.stillFor.keys()]) if (!pictures.includes(mid)) this.stillFor.delete(mid);
    for (const mid of pictures) {
      const fps = s.fps.get(mid);
      // One that has not begun does not stand still.
      if (fps !== undefined) this.stillFor.set(mid, fps > 0 ? 0 : (this.stillFor.get(mid) ?? 0) + s.seconds);
    }
    return before !== stand();
  }

  /** Reports when it is time: every 10 s, and at once when the word changed. */
  tell(media: Media) {
    const now = Date.now();
    if (media === 'none' || now - this.reportedAt < reportAtMost) return;
    if (!this.toReport && now - this.reportedAt < reportEvery) return;
    const present = media === 'cut' ? 'lost' : this.word;
    const word = this.wasLost ? 'lost' : present;
    this.reportedAt = now;
    this.wasLost = false;
    this.toReport = word !== present;
    this.on.report(this.reporter.take(word));
  }
}
