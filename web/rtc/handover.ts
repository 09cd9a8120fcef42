// A connection that goes on while the one that follows it begins (docs/signaling.md §6.6, `node_draining`): both send, and
// of each person's sources one is shown, the new one's as soon as it comes there.

import type { RemoteMedia } from './api';
import type { Peer } from './peer';
import type { Slot } from './wire';

export interface HandoverEvents {
  /** The connection that follows; null while there is none. */
  newest: () => Peer | null;
  /** Something is shown from the new one. */
  changed: () => void;
  /** The old one is needed no more, or carries nothing any more. */
  over: () => void;
}

const lookEvery = 200;
/** What came within this time comes, ms: a voice that pauses (DTX) sends every 400. */
const flowing = 1000;
/** So much of a source has come when it is shown from the new one: pictures decoded, packets of sound. */
const enough = { video: 2, audio: 5 } as const;
/** The old one still sends for so long, ms: the others may see us there a moment longer. */
const linger = 1000;
/** Nor is the old one kept longer than this once the new one stands, ms: the server ends it after 5 s. */
const atMost = 6000;

/** Pictures decoded and packets of sound that came, by receive section. */
async function arrived({ pc }: Peer): Promise<Map<string, number>> {
  const all = new Map<string, number>();
  (await pc.getStats()).forEach((r: Record<string, unknown>) => {
    if (r.type === 'inbound-rtp') all.set(String(r.mid ?? ''), Number(r[r.kind === 'video' ? 'framesDecoded' : 'packetsReceived'] ?? 0));
  });
  return all;
}

const sources = ['voice', 'camera', 'screen', 'sound'] as const;
const keyOf = (s: Slot) => `${s.seat}/${s.source}`;

export class Handover {
  /** What is shown from the new connection: `seat/source`, and which connection it is. */
  private readonly taken = new Map<string, Peer>();
  private readonly seen = new Map<string, { count: number; at: number }>();
  private standing: Peer | null = null;
  private stood = 0;
  private complete = 0;
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(
    readonly old: Peer,
    private readonly on: HandoverEvents,
  ) {
    this.timer = setInterval(() => void this.look().catch(() => undefined), lookEvery);
  }

  close() {
    clearInterval(this.timer);
    this.old.close();
  }

  private async look() {
    if (!this.old.connected) return this.on.over();
    const next = this.on.newest();
    const [before, now] = await Promise.all([arrived(this.old), next?.connected ? arrived(next) : null]);
    if (this.old.closed) return;
    const at = Date.now();
    // Firefox long did not tell the section: then all that comes counts for each.
    const count = (of: Map<string, number>, s: Slot) => of.get(s.mid) ?? of.get('') ?? 0;
    for (const s of this.old.bound) this.note(keyOf(s), count(before, s), at);
    if (!next || !now || next !== this.on.newest()) return;
    if (this.standing !== next) {
      this.standing = next;
      this.stood = at;
      this.complete = 0;
    }
    let more = false;
    for (const s of next.bound) {
      if (this.from(s) === next || count(now, s) < enough[s.kind]) continue;
      this.taken.set(keyOf(s), next);
      more = true;
    }
    if (more) this.on.changed();
    const all = this.old.bound.every((s) => this.from(s) === next || at - (this.seen.get(keyOf(s))?.at ?? 0) > flowing);
    this.complete = all ? this.complete || at : 0;
    if ((all && at - this.complete >= linger) || at - this.stood > atMost) this.on.over();
  }

  private note(key: string, count: number, at: number) {
    const was = this.seen.get(key);
    // The first count says nothing of when it came: it is taken to come.
    if (!was || was.count !== count) this.seen.set(key, { count, at });
  }

  private from(s: Slot) {
    return this.taken.get(keyOf(s));
  }

  /** Everybody, each source from one connection only; `still` tells which pictures of the old one do not move. */
  remote(still: (s: Slot) => boolean): RemoteMedia[] {
    const next = this.on.newest();
    const fresh = next?.remote((s) => s.paused === true) ?? [];
    const known = this.old.remote(still);
    const seats = new Set([...known, ...fresh].map((m) => m.seat));
    return [...seats].map((seat) => {
      const before = known.find((m) => m.seat === seat);
      const now = fresh.find((m) => m.seat === seat);
      const shown: RemoteMedia = { seat };
      for (const source of sources) {
        const from = now?.[source] && (!before?.[source] || this.taken.get(`${seat}/${source}`) === next) ? now : before;
        const stream = from?.[source];
        if (!from || !stream) continue;
        shown[source] = stream;
        if (source === 'camera' && from.still) shown.still = true;
      }
      return shown;
    });
  }
}
