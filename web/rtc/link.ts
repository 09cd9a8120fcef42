// The life of our media: the PeerConnection, its repair, and the one that takes its place.

import type { MediaFacts, RemoteMedia } from './api';
import type { Handover } from './handover';
import { Ladder, type Step } from './ladder';
import { Listening } from './listening';
import { Measure } from './measure';
import { Peer } from './peer';
import type { QualityWord } from './quality';
import type { QualityReport } from './report';
import { rungs, type Media } from './state';
import type { Sample } from './stats';
import type { IceGrant, Kept, Slot, Source } from './wire';

export interface LinkEvents {
  offer: (pc: number, sdp: string) => void;
  report: (r: QualityReport) => void;
  /** Media fell silent: what took its way may have taken that of the socket, which nobody says. A round trip lasts rttMs. */
  doubt: (rttMs: number) => void;
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

/** How long a first connection may take: the server waits no longer either (docs/signaling.md §6.2). */
const joinWithin = 15_000;

export class Link {
  media: Media = 'none';
  readonly measure: Measure;
  private readonly ladder = new Ladder((s) => this.step(s));
  private readonly listening: Listening;
  /** The newest: offers and answers are about it. */
  private peer: Peer | null = null;
  /** The one before it, which carries while the newest begins. */
  private handover: Handover | null = null;
  private chunk: Promise<typeof Handover | null> | null = null;
  private number = 0;
  private offeredIn = '';
  private opening = false;
  private early: { pc: number; slots: readonly Slot[] } | null = null;
  private owed: 'restart' | 'rebuild' | null = null;
  private lastHeard = 0;
  private reachedAt = 0;

  constructor(
    private readonly slots: number,
    private readonly policy: 'all' | 'relay' | undefined,
    private readonly on: LinkEvents,
  ) {
    this.listening = new Listening({
      carrier: () => (this.media === 'none' ? null : this.carrier),
      doubt: () => on.doubt(this.listening.rttMs),
      silent: (since) => this.silent(since),
      beat: () => this.ladder.since && this.heard(Date.now()),
      measured: (s) => this.measured(s),
      tick: () => this.measure.tell(this.media),
    });
    this.measure = new Measure({
      ...on,
      shape: (share, lossy) => this.each((p) => void p.shape(share, lossy)),
      hold: (ms) => this.each((p) => p.hold(ms)),
    });
  }

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
    return this.media === 'cut' ? 'lost' : this.measure.word;
  }

  /** Our own picture is stopped: the upload is too weak. */
  get pictureStopped(): boolean {
    return this.measure.share !== 'full';
  }

  /** What a new session may go on with: a connection that stood, and the session in which it was offered. */
  get kept(): Kept | undefined {
    return this.peer && this.media !== 'none' ? { session: this.offeredIn, pc: this.number } : undefined;
  }

  /** The one that is heard and measured. */
  private get carrier(): Peer | null {
    return this.handover?.old ?? this.peer;
  }

  private each(f: (p: Peer) => void) {
    for (const p of [this.handover?.old, this.peer]) if (p) f(p);
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

  /** The server moved our media to another node: a new connection at once, beside the old one if that goes on. An older number is an old story. */
  rejoin(pc: number, reason: string) {
    const { peer } = this;
    if (pc !== peer?.number) return;
    if (reason === 'node_draining' && this.carries) return void this.handOver(peer);
    if (this.handover) return this.anew();
    this.drop();
    if (this.media !== 'none') this.fell();
    this.open();
  }

  private get carries(): boolean {
    return (this.media === 'up' || this.media === 'unstable') && this.carrier?.connected === true;
  }

  private async handOver(peer: Peer) {
    const made = await this.chunk;
    if (peer !== this.peer) return;
    if (!made || !this.carries) return this.rejoin(peer.number, '');
    if (peer.connected) this.part();
    if (this.handover) return this.anew();
    this.handover = new made(peer, { newest: () => this.peer, changed: this.on.changed, over: () => this.part() });
    this.peer = null;
    this.open();
  }

  /** Another attempt beside the connection that carries. */
  private anew() {
    this.peer?.close();
    this.peer = null;
    this.open();
  }

  /** The connection before is not needed, or carries no more: the newest is all there is. */
  private part() {
    const { handover } = this;
    if (!handover) return;
    this.handover = null;
    handover.close();
    this.listening.anew();
    this.measure.forget();
    if (!this.peer?.connected) return this.fell();
    this.heard(Date.now());
    this.on.changed();
  }

  private fell() {
    this.measure.reporter.begin('rejoin');
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
    if (this.measure.held !== null) peer.hold(this.measure.held);
    this.peer = peer;
    this.offeredIn = this.on.session();
    if (!this.handover) {
      this.listening.anew();
      this.measure.fresh();
    }
    this.listening.begin();
    this.measure.begin();
    this.on.opened();
    // What the upload carries is known: two pictures at once are not more than one may be.
    if (this.handover) void peer.shape(this.measure.share, this.measure.lossy);
    if (this.early?.pc === number) peer.bind(this.early.slots);
    this.early = null;
    void peer.open().catch(() => current() && this.rebuild());
    setTimeout(() => current() && (this.media === 'none' || this.handover) && !peer.connected && this.rebuild(), joinWithin);
  }

  answer(pc: number, sdp: string) {
    const { peer } = this;
    if (pc === peer?.number) void peer.answer(sdp).catch(() => peer === this.peer && this.rebuild());
  }

  bind(pc: number, slots: readonly Slot[]) {
    if (pc === this.peer?.number) this.peer.bind(slots);
    else this.early = { pc, slots };
  }

  put(source: Source, track: MediaStreamTrack | null) {
    this.each((p) => void p.put(source, track));
    if (source === 'camera' && track && !this.handover) {
      this.measure.fresh();
      void this.peer?.shape('full', false);
    }
  }

  /** A new PeerConnection in the same seat. */
  rebuild() {
    if (!this.on.may()) return;
    if (this.handover) return this.anew();
    this.drop();
    if (this.media !== 'none') this.cut();
    this.open();
  }

  /** The server took the offer back, or has no such connection: again later unless it came up meanwhile. */
  again(ms: number) {
    setTimeout(() => this.on.may() && !(this.handover ? this.peer?.connected : this.media === 'up') && this.rebuild(), ms);
  }

  /** The device changed network: a new path at once, the same streams. */
  moved() {
    if (this.media === 'none' || !this.exists) return;
    // Of two, the old one is not asked to move; a new one that never stood is not worth it.
    const between = this.handover !== null;
    this.part();
    this.measure.reporter.begin('ice-restart');
    this.attempt(between && !this.peer?.connected ? 'rebuild' : 'restart');
  }

  /** Signalling came back: what could not be asked meanwhile is asked now. */
  reachable() {
    this.reachedAt = Date.now();
    const owed = this.owed;
    this.owed = null;
    if (owed && (this.media !== 'up' || this.ladder.since)) this.attempt(owed);
    else this.ladder.soon();
  }

  close() {
    this.drop();
    this.ladder.rise();
    this.measure.reset();
    this.media = 'none';
    this.owed = null;
    this.listening.stop();
  }

  private drop() {
    this.handover?.close();
    this.handover = null;
    this.peer?.close();
    this.peer = null;
    this.measure.forget();
  }

  private path(p: 'up' | 'quiet' | 'failed') {
    if (this.handover) {
      if (p === 'failed') this.again(rungs.unstable);
      else if (p === 'up' && this.ladder.since) this.part();
    } else if (p === 'up') {
      if (this.media === 'cut') this.mended();
      this.up();
    } else if (this.media === 'none') {
      // It never stood: the ladder gives this one its time, and then makes another.
      if (p === 'failed') this.again(rungs.unstable);
    } else if (p === 'quiet') this.ladder.fall(this.silentSince());
    else {
      this.on.doubt(this.listening.rttMs);
      this.ladder.hurry();
    }
  }

  /** The last second in which something came, if it was not long ago; else now. */
  private silentSince(): number {
    const now = Date.now();
    return now - this.lastHeard < rungs.cut ? this.lastHeard : now;
  }

  /** Nothing comes any more, and it is not that nobody speaks. */
  private silent(since: number) {
    if (this.media !== 'up') return;
    this.ladder.fall(since);
    // The socket may have been found dead, and be new, before we were sure; another connection may be nearly there.
    if (this.handover || this.reachedAt > since) this.ladder.soon();
  }

  private heard(at: number) {
    this.mended();
    this.up();
    this.lastHeard = at;
  }

  /** What was begun to mend the path has done it: it is told with how long it took. */
  private mended() {
    this.measure.reporter.end('ice-restart');
    this.measure.reporter.end('rejoin');
  }

  private up() {
    this.ladder.rise();
    this.owed = null;
    if (this.media === 'up') return;
    // Now, and not when it is needed: an upgrade takes the file with it.
    this.chunk ??= import('./standing').then((m) => (this.listening.closely(m.Rhythm), m.Handover)).catch(() => (this.chunk = null));
    if (this.media === 'cut') this.measure.back();
    this.lastHeard = Date.now();
    this.media = 'up';
    this.on.changed();
  }

  private cut() {
    if (this.media === 'cut') return;
    this.media = 'cut';
    this.measure.lost();
    this.on.changed();
  }

  private step(s: Step) {
    switch (s) {
      case 'telephone':
        return this.on.changed();
      case 'unstable':
        if (this.media === 'up') this.media = 'unstable';
        return this.on.changed();
      case 'cut':
        return this.cut();
      case 'restart':
        if (this.handover) return this.part();
        this.on.doubt(this.listening.rttMs);
        this.measure.reporter.begin('ice-restart');
        return this.attempt(s);
      case 'rebuild':
        this.cut();
        this.measure.reporter.begin('rejoin');
        return this.attempt(s);
    }
  }

  private attempt(s: 'restart' | 'rebuild') {
    // An offer that cannot be sent now would only queue up behind others.
    if (!this.on.reachable()) this.owed = this.owed === 'rebuild' ? 'rebuild' : s;
    else if (s === 'restart' && this.peer) this.peer.restart();
    else this.rebuild();
  }

  private measured(s: Sample) {
    this.measure.reporter.add(s);
    const { carrier } = this;
    if (s.heard) {
      if (carrier?.connected) this.heard(Date.now() - s.ago);
    } else if (s.spoke && this.media === 'up' && carrier?.connected) this.ladder.fall(this.lastHeard);
    if (this.media !== 'up') return;
    this.on.second(s);
    this.measure.add(s, carrier?.bound ?? []);
  }

  remote(): RemoteMedia[] {
    const still = (s: Slot) => s.paused === true || this.measure.still(s.mid);
    return (this.handover ?? this.peer)?.remote(still) ?? [];
  }

  async facts(): Promise<MediaFacts | null> {
    return (await this.carrier?.facts()) ?? null;
  }
}
