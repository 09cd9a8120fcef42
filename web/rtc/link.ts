// The life of our media: the PeerConnection, its repair, its measure, and how much of our picture it carries.

import type { MediaFacts, RemoteMedia } from './api';
import { Ladder, type Step } from './ladder';
import { Peer } from './peer';
import { Cushion, Steady, Thrift, wordOf, type QualityWord } from './quality';
import { Reporter, type QualityReport } from './report';
import { rungs, type Media } from './state';
import { between, type Reading, type Sample } from './stats';
import type { IceGrant, Kept, Slot, Source } from './wire';

export interface LinkEvents {
  offer: (pc: number, sdp: string) => void;
  report: (r: QualityReport) => void;
  /** Media fell silent: what took its way may have taken that of the socket, which nobody says. */
  doubt: () => void;
  changed: () => void;
  /** A new connection is made: put what is sent into it. */
  opened: () => void;
  /** Credentials that can still allocate. */
  ice: () => Promise<IceGrant | null>;
  /** Signalling is open: an offer sent now arrives. */
  reachable: () => boolean;
  /** The session with the server in which an offer is made now. */
  session: () => string;
  /** Media may flow, as far as the server said. */
  may: () => boolean;
  /** A picture of that seat should come. */
  expects: (seat: string) => boolean;
  /** Our camera is on. */
  sendsCamera: () => boolean;
  /** One second was measured. */
  second: (s: Sample) => void;
}

const every = 1000;
const reportEvery = 10_000;
/** How long a first connection may take: the server waits no longer either (docs/signaling.md §6.2). */
const joinWithin = 15_000;
/** A timer that slept (the page was in the background) says nothing about the link. */
const slept = 3;
/** Seconds without a new picture before we say that it stands still. */
const stillAfter = 2;

export class Link {
  media: Media = 'none';
  readonly reporter = new Reporter();
  private readonly ladder = new Ladder((s) => this.step(s));
  private readonly steady = new Steady();
  private readonly thrift = new Thrift();
  private readonly cushion = new Cushion();
  private peer: Peer | null = null;
  private number = 0;
  private offeredIn = '';
  private opening = false;
  private early: { pc: number; slots: readonly Slot[] } | null = null;
  private owed: 'restart' | 'rebuild' | null = null;
  private timer: ReturnType<typeof setInterval> | null = null;
  private last: Reading | null = null;
  private lastHeard = 0;
  private reportedAt = 0;
  private toReport = false;
  /** Media was lost since the last report, maybe between two seconds. */
  private wasLost = false;
  private readonly stillFor = new Map<string, number>();

  constructor(
    private readonly slots: number,
    private readonly policy: 'all' | 'relay' | undefined,
    private readonly on: LinkEvents,
  ) {}

  get pc(): number {
    return this.number;
  }

  get bound(): readonly Slot[] {
    return this.peer?.bound ?? [];
  }

  get exists(): boolean {
    return this.peer !== null || this.opening;
  }

  /** ms of Date.now() since when nothing was heard; 0 while all is well. */
  get since(): number {
    return this.media === 'cut' ? this.ladder.since : 0;
  }

  get word(): QualityWord {
    return this.media === 'cut' ? 'lost' : this.steady.word;
  }

  /** Our own picture is stopped: the upload is too weak. */
  get pictureStopped(): boolean {
    return this.thrift.share !== 'full';
  }

  /** What a new session may go on with: a connection that stood, and the session in which it was offered. */
  get kept(): Kept | undefined {
    return this.peer && this.media !== 'none' ? { session: this.offeredIn, pc: this.number } : undefined;
  }

  /** A new session with the server: it goes on with the connection `kept`, or has none and numbers start again. */
  renew(kept: number | undefined) {
    if (this.peer && kept === this.number) return;
    this.number = 0;
    this.early = null;
    this.owed = null;
    this.drop();
    if (this.media !== 'none') this.fell();
  }

  /** The server moved our media to another node: a new connection at once. An older number is an old story. */
  rejoin(pc: number) {
    if (pc !== this.peer?.number) return;
    this.drop();
    if (this.media !== 'none') this.fell();
    this.open();
  }

  private fell() {
    this.reporter.begin('rejoin');
    this.cut();
    this.ladder.rejoin();
  }

  /** Makes the connection if there is none. */
  open() {
    if (this.exists) return;
    this.opening = true;
    void this.on.ice().then((grant) => {
      this.opening = false;
      if (grant && !this.peer && this.on.may()) this.make(grant);
    });
  }

  private make(grant: IceGrant) {
    this.number += 1;
    const number = this.number;
    const current = () => this.peer?.number === number;
    const peer = new Peer(number, grant, this.slots, this.policy, {
      offer: (sdp) => this.on.offer(number, sdp),
      path: (p) => current() && this.path(p),
      dead: () => current() && this.rebuild(),
      remote: () => current() && this.on.changed(),
      ice: () => this.on.ice(),
    });
    if (this.cushion.ms !== null) peer.hold(this.cushion.ms);
    this.peer = peer;
    this.offeredIn = this.on.session();
    this.last = null;
    this.thrift.reset();
    this.timer ??= setInterval(() => void this.tick(), every);
    this.reportedAt ||= Date.now();
    this.on.opened();
    if (this.early?.pc === number) peer.bind(this.early.slots);
    this.early = null;
    void peer.open().catch(() => this.rebuild());
    setTimeout(() => current() && this.media === 'none' && this.rebuild(), joinWithin);
  }

  answer(pc: number, sdp: string) {
    if (pc === this.peer?.number) void this.peer.answer(sdp).catch(() => this.rebuild());
  }

  bind(pc: number, slots: readonly Slot[]) {
    if (pc === this.peer?.number) this.peer.bind(slots);
    else this.early = { pc, slots };
  }

  put(source: Source, track: MediaStreamTrack | null) {
    void this.peer?.put(source, track);
    if (source === 'camera' && track) {
      this.thrift.reset();
      void this.peer?.shape('full', false);
    }
  }

  /** A new PeerConnection in the same seat. */
  rebuild() {
    if (!this.on.may()) return;
    const was = this.media;
    this.drop();
    if (was === 'up' || was === 'unstable') this.cut();
    this.open();
  }

  /** The server took the offer back, or has no such connection: again later unless it came up meanwhile. */
  again(ms: number) {
    setTimeout(() => this.on.may() && this.media !== 'up' && this.rebuild(), ms);
  }

  /** The device changed network: a new path at once, the same streams. */
  moved() {
    if (this.media === 'none' || !this.peer) return;
    this.reporter.begin('ice-restart');
    this.attempt('restart');
  }

  /** Signalling came back: what could not be asked meanwhile is asked now. */
  reachable() {
    const owed = this.owed;
    this.owed = null;
    if (owed && this.media !== 'up') this.attempt(owed);
  }

  close() {
    this.drop();
    this.ladder.rise();
    this.steady.reset();
    this.media = 'none';
    this.owed = null;
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }

  private drop() {
    this.peer?.close();
    this.peer = null;
    this.stillFor.clear();
  }

  private path(p: 'up' | 'quiet' | 'failed') {
    if (p === 'up') {
      if (this.media === 'cut') this.mended();
      this.up();
    } else if (this.media === 'none') {
      // It never stood: the ladder gives this one its time, and then makes another.
      if (p === 'failed') this.again(rungs.unstable);
    } else if (p === 'quiet') this.ladder.fall(this.silentSince());
    else {
      this.on.doubt();
      this.ladder.hurry();
    }
  }

  /** The last second in which something came, if it was not long ago; else now. */
  private silentSince(): number {
    const now = Date.now();
    return now - this.lastHeard < rungs.restart ? this.lastHeard : now;
  }

  /** What was begun to mend the path has done it: it is told with how long it took. */
  private mended() {
    this.reporter.end('ice-restart');
    this.reporter.end('rejoin');
  }

  private up() {
    const was = this.media;
    this.ladder.rise();
    this.owed = null;
    if (was === 'up') return;
    this.lastHeard = Date.now();
    this.media = 'up';
    if (was === 'cut') this.toReport = true;
    this.on.changed();
  }

  private cut() {
    if (this.media === 'cut') return;
    this.media = 'cut';
    this.toReport = this.wasLost = true;
    this.on.changed();
  }

  private step(s: Step) {
    if (s === 'telephone') return this.on.changed();
    if (s === 'unstable') {
      this.on.doubt();
      if (this.media === 'up') {
        this.media = 'unstable';
        this.on.changed();
      }
      return;
    }
    this.cut();
    this.reporter.begin(s === 'restart' ? 'ice-restart' : 'rejoin');
    this.attempt(s);
  }

  private attempt(s: 'restart' | 'rebuild') {
    // An offer that cannot be sent now would only queue up behind others.
    if (!this.on.reachable()) this.owed = this.owed === 'rebuild' ? 'rebuild' : s;
    else if (s === 'restart' && this.peer) this.peer.restart();
    else this.rebuild();
  }

  private async tick() {
    const { peer } = this;
    const now = await peer?.reading().catch(() => null);
    if (now && peer === this.peer) {
      const before = this.last;
      this.last = now;
      if (before) this.measured(between(before, now));
    }
    this.tell();
  }

  private measured(s: Sample) {
    if (s.seconds > slept) return;
    this.reporter.add(s);
    if (s.heard) {
      this.lastHeard = Date.now() - s.ago;
      if (this.peer?.connected && this.media !== 'none') {
        this.mended();
        this.up();
      }
    } else if (s.spoke && this.media === 'up' && this.peer?.connected) {
      this.ladder.fall(this.lastHeard);
    }
    if (this.media !== 'up') return;
    this.on.second(s);
    if (this.cushion.add(s)) this.peer?.hold(this.cushion.ms);
    if (this.on.sendsCamera() && this.thrift.add(s)) void this.peer?.shape(this.thrift.share, this.thrift.lossy);
    const hidden = globalThis.document?.hidden === true;
    const pictures = hidden ? [] : this.pictures();
    const stillChanged = this.watchStill(s, pictures);
    const word = wordOf(s, { pictures, ownStopped: this.on.sendsCamera() && this.pictureStopped });
    if (this.steady.add(word)) {
      this.toReport = true;
      this.on.changed();
    } else if (stillChanged) this.on.changed();
  }

  /** Sections in which a camera should be seen, and was. */
  private pictures(): string[] {
    return this.bound.filter((s) => s.source === 'camera' && this.on.expects(s.seat)).map((s) => s.mid);
  }

  private watchStill(s: Sample, pictures: readonly string[]): boolean {
    const before = [...this.stillFor].filter(([, n]) => n >= stillAfter).map(([mid]) => mid).join();
    for (const mid of [...this.stillFor.keys()]) if (!pictures.includes(mid)) this.stillFor.delete(mid);
    for (const mid of pictures) {
      const fps = s.fps.get(mid);
      // One that has not begun does not stand still.
      if (fps !== undefined) this.stillFor.set(mid, fps > 0 ? 0 : (this.stillFor.get(mid) ?? 0) + s.seconds);
    }
    return before !== [...this.stillFor].filter(([, n]) => n >= stillAfter).map(([mid]) => mid).join();
  }

  private tell() {
    const now = Date.now();
    if (this.media === 'none' || now - this.reportedAt < every) return;
    if (!this.toReport && now - this.reportedAt < reportEvery) return;
    const word = this.wasLost ? 'lost' : this.word;
    this.reportedAt = now;
    this.wasLost = false;
    this.toReport = word !== this.word;
    this.on.report(this.reporter.take(word));
  }

  remote(): RemoteMedia[] {
    return this.peer?.remote((s) => s.paused === true || (this.stillFor.get(s.mid) ?? 0) >= stillAfter) ?? [];
  }

  async facts(): Promise<MediaFacts | null> {
    return (await this.peer?.facts()) ?? null;
  }
}
