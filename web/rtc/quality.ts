// The link in one word, from one second of figures after the other; and when to let our own picture go.

import type { Sample } from './stats';

/** What the page says (« bonne », « faible », « son seul ») and the server keeps. */
export type QualityWord = 'good' | 'weak' | 'audio-only' | 'lost';

/** What should be there. */
export interface Expected {
  /** Receive sections in which somebody's camera should be seen. */
  pictures: readonly string[];
  /** Our own picture is stopped because our upload is too weak for it. */
  ownStopped: boolean;
}

/** Limits of a second that people call bad. */
const bad = { frames: 8, loss: 0.08, rttMs: 500, freezeMs: 500 } as const;

/** Seconds alike before the word gets worse, and better. */
const worseAfter = 2;
const betterAfter = 5;

/** One second in one word. */
export function wordOf(s: Sample, expected: Expected): QualityWord {
  // One that moves shows that our own link carries pictures: the others' trouble is theirs.
  const fps = Math.max(...expected.pictures.map((mid) => s.fps.get(mid) ?? 0));
  if (expected.ownStopped || fps === 0) return 'audio-only';
  const frozen = s.freezeMs / s.seconds > bad.freezeMs;
  const slow = Number.isFinite(fps) && fps < bad.frames;
  const lossy = s.downLoss > bad.loss || s.upLoss > bad.loss;
  return frozen || slow || lossy || (s.rttMs ?? 0) > bad.rttMs ? 'weak' : 'good';
}

const rank: Record<QualityWord, number> = { good: 0, weak: 1, 'audio-only': 2, lost: 3 };

/** A word that does not flicker. */
export class Steady {
  word: QualityWord = 'good';
  private next: QualityWord = 'good';
  private count = 0;

  /** Gives true when the word changed. */
  add(word: QualityWord): boolean {
    if (word === this.word) {
      this.count = 0;
      return false;
    }
    // Of several bad seconds the mildest is believed: it was true of all of them.
    const worse = rank[word] > rank[this.word];
    const sameWay = this.count > 0 && worse === rank[this.next] > rank[this.word];
    this.next = sameWay && (worse ? rank[word] > rank[this.next] : rank[word] < rank[this.next]) ? this.next : word;
    this.count = sameWay ? this.count + 1 : 1;
    if (this.count < (worse ? worseAfter : betterAfter)) return false;
    this.word = this.next;
    this.count = 0;
    return true;
  }

  reset() {
    this.word = this.next = 'good';
    this.count = 0;
  }
}

/** How much of our picture goes out. */
export type Share = 'full' | 'small' | 'none';

/**
 * What a voice with its spare copies and the smallest picture need (Chromium's estimate goes no lower while it sends
 * them: 147 kbit/s), and what shows that a picture fits again, in bit/s.
 */
const voiceAndPicture = 150_000;
const enoughAgain = 180_000;
const hopeless = 0.4;
const heavy = 0.2;
/** Loss together with a queue (ms above the shortest round trip seen) is a link too narrow, not one that loses by chance. */
const crowded = { loss: 0.05, rttMs: 200, below: 400_000 } as const;
/** Loss by chance, from which on a voice is worth sending twice however little passes. Seconds before it counts, and before it is over. */
const chance = { loss: 0.03, after: 2, over: 5 } as const;
/** Bad seconds of the last few that stop the picture; seconds of a trial, before the first trial and the longest wait. */
const stopAfter = { bad: 3, of: 5 } as const;
const trial = 5;
const firstTry = 8;
const longestWait = 60;

/**
 * Lets the picture go so that the voice stays (the voice needs 24 kbit/s and its spare copies), and brings it back by
 * itself: small for five seconds, then whole. A trial that fails doubles the wait for the next.
 */
export class Thrift {
  share: Share = 'full';
  /** The link loses without being full: spare copies of the voice are not what fills it. */
  lossy = false;
  private doubt = 0;
  private recent: boolean[] = [];
  private seconds = 0;
  private wait = firstTry;
  private shortest = Number.POSITIVE_INFINITY;

  /** One second of a connection that sends a picture. Gives true when the share, or whether the link is lossy, changed. */
  add(s: Sample): boolean {
    const before = this.share;
    const lossyBefore = this.lossy;
    const little = s.maySend !== undefined && s.maySend < (this.share === 'small' ? enoughAgain : voiceAndPicture);
    const rtt = s.rttMs ?? 0;
    if (rtt > 0) this.shortest = Math.min(this.shortest, rtt);
    const full = s.upLoss > crowded.loss && rtt - this.shortest > crowded.rttMs && (s.maySend ?? 0) < crowded.below;
    this.chance(s.upLoss > chance.loss && rtt - this.shortest <= crowded.rttMs, s.seconds);
    const starved = little || full || s.upLoss > hopeless;
    this.seconds += s.seconds;
    if (this.share === 'full') {
      // On a link that is known to be full a second in which a voice is lost as well counts twice.
      this.recent = [...this.recent, starved, ...(little && s.upLoss > heavy ? [true] : [])].slice(-stopAfter.of);
      if (this.recent.filter(Boolean).length >= stopAfter.bad) this.become('none');
    } else if (this.share === 'none') {
      if (this.seconds >= this.wait) this.become('small');
    } else if (this.seconds >= trial) {
      this.wait = starved ? Math.min(this.wait * 2, longestWait) : firstTry;
      this.become(starved ? 'none' : 'full');
    }
    return this.share !== before || this.lossy !== lossyBefore;
  }

  private chance(lost: boolean, seconds: number) {
    this.doubt = lost === this.lossy ? 0 : this.doubt + seconds;
    if (this.doubt < (lost ? chance.after : chance.over)) return;
    this.lossy = lost;
    this.doubt = 0;
  }

  /** A new connection, or a camera just opened: what was learnt is old. */
  reset() {
    this.share = 'full';
    this.lossy = false;
    this.doubt = 0;
    this.recent = [];
    this.seconds = 0;
    this.wait = firstTry;
  }

  private become(share: Share) {
    this.share = share;
    this.recent = [];
    this.seconds = 0;
  }
}

/** Share of made-up sound that people notice; bad seconds of the last few that count; good seconds after which it is over. */
const patchy = { share: 0.015, bad: 2, of: 5, over: 20 } as const;
/** Time for what was lost to be asked for and to come, in ms. */
const cushionMs = 120;

/** Holds sound back a little where packets are lost, so that what is sent again comes in time. */
export class Cushion {
  /** What the browser is asked to wait before it plays, in ms; null: what it likes. */
  ms: number | null = null;
  private recent: boolean[] = [];
  private good = 0;

  /** One second. Gives true when `ms` changed. */
  add(s: Sample): boolean {
    const bad = s.madeUp > patchy.share;
    this.recent = [...this.recent, bad].slice(-patchy.of);
    this.good = bad ? 0 : this.good + s.seconds;
    const next = this.ms === null ? (this.recent.filter(Boolean).length >= patchy.bad ? cushionMs : null) : this.good >= patchy.over ? null : cushionMs;
    const changed = next !== this.ms;
    this.ms = next;
    return changed;
  }
}
