// getStats() read into a few numbers, and two readings into what happened between them.

import type { MediaFacts } from './api';

type Report = Record<string, unknown> & { type: string; id: string };
export type Stats = { forEach: (f: (r: Report) => void) => void };

export type PairKind = 'udp' | 'tcp' | 'relay-udp' | 'relay-tcp' | 'relay-tls';

/** Sums over one connection at one moment; what a browser does not tell is 0 or absent. */
export interface Reading {
  /** ms of a steady clock, and of Date.now(). */
  at: number;
  wall: number;
  bytesIn: number;
  bytesOut: number;
  /** Anything that shows that the other end lives: bytes and answers to checks. */
  signs: number;
  /** When the last packet of a stream came, in ms of Date.now(); 0 where the browser does not tell. */
  lastIn: number;
  packetsIn: number;
  lostIn: number;
  packetsOut: number;
  /** Of each stream that we send: packets so far, and the share that the server did not get, 0…1, by its last word. */
  sent: Map<string, { packets: number; lost: number }>;
  /** Of each picture that we receive: how often it stood still so far, and for how many seconds. */
  frozen: Map<string, [number, number]>;
  /** Samples of sound played, and those made up where something was missing, pauses of speech apart. */
  played: number;
  madeUp: number;
  rttMs?: number;
  /** What the browser thinks it may send, in bit/s. */
  maySend?: number;
  pair?: PairKind;
  /** Pictures decoded so far, by receive section. */
  frames: Map<string, number>;
  /** The processor, not the network, limits our picture. */
  slow: boolean;
}

const num = (r: Report | undefined, name: string) => (typeof r?.[name] === 'number' ? r[name] : 0);

function pairOf(byId: Map<string, Report>): Report | undefined {
  for (const r of byId.values()) {
    if (r.type === 'transport' && typeof r.selectedCandidatePairId === 'string') return byId.get(r.selectedCandidatePairId);
  }
  // Firefox before 124 has no transport.
  for (const r of byId.values()) if (r.type === 'candidate-pair' && (r.selected === true || (r.nominated === true && r.state === 'succeeded'))) return r;
  return undefined;
}

function kindOf(local: Report | undefined): PairKind | undefined {
  if (!local) return undefined;
  if (local.candidateType === 'relay') return `relay-${local.relayProtocol === 'tls' ? 'tls' : local.relayProtocol === 'tcp' ? 'tcp' : 'udp'}`;
  return local.protocol === 'tcp' ? 'tcp' : 'udp';
}

export function readingOf(stats: Stats, at: number, wall = 0): Reading {
  const byId = new Map<string, Report>();
  stats.forEach((r) => byId.set(r.id, r));
  const sum: Reading = {
    at, wall, bytesIn: 0, bytesOut: 0, signs: 0, lastIn: 0, packetsIn: 0, lostIn: 0, packetsOut: 0, sent: new Map(), frozen: new Map(), played: 0, madeUp: 0, frames: new Map(), slow: false,
  };
  for (const r of byId.values()) {
    if (r.type === 'inbound-rtp') {
      sum.packetsIn += num(r, 'packetsReceived');
      sum.lastIn = Math.max(sum.lastIn, num(r, 'lastPacketReceivedTimestamp'));
      // Below zero when packets came twice (RFC 3550 §6.4.1), as Firefox reports it.
      sum.lostIn += Math.max(0, num(r, 'packetsLost'));
      sum.played += num(r, 'totalSamplesReceived');
      sum.madeUp += num(r, 'concealedSamples') - num(r, 'silentConcealedSamples');
      if (r.kind === 'video') {
        sum.frames.set(String(r.mid ?? ''), num(r, 'framesDecoded'));
        sum.frozen.set(r.id, [num(r, 'freezeCount'), num(r, 'totalFreezesDuration')]);
      }
    } else if (r.type === 'outbound-rtp') {
      sum.packetsOut += num(r, 'packetsSent');
      if (r.qualityLimitationReason === 'cpu') sum.slow = true;
    } else if (r.type === 'remote-inbound-rtp') {
      sum.sent.set(r.id, { packets: num(byId.get(String(r.localId)), 'packetsSent'), lost: num(r, 'fractionLost') });
    } else if (r.type === 'transport') {
      // On whichever of its pairs: a weak link has the other end send on another one now and then.
      sum.bytesIn += num(r, 'bytesReceived');
      sum.bytesOut += num(r, 'bytesSent');
    }
  }
  const pair = pairOf(byId);
  if (pair) {
    sum.bytesIn ||= num(pair, 'bytesReceived');
    sum.bytesOut ||= num(pair, 'bytesSent');
    sum.signs = sum.bytesIn + num(pair, 'responsesReceived');
    if (num(pair, 'currentRoundTripTime') > 0) sum.rttMs = Math.ceil(num(pair, 'currentRoundTripTime') * 1000);
    if (num(pair, 'availableOutgoingBitrate') > 0) sum.maySend = num(pair, 'availableOutgoingBitrate');
    const kind = kindOf(byId.get(String(pair.localCandidateId ?? '')));
    if (kind) sum.pair = kind;
  }
  return sum;
}

/** What happened between two readings. */
export interface Sample {
  seconds: number;
  upKbps: number;
  downKbps: number;
  upLoss: number;
  downLoss: number;
  /** Pictures decoded per second, by receive section; a section that never gave one is not here. */
  fps: Map<string, number>;
  freezes: number;
  freezeMs: number;
  /** Share of the sound that was made up, 0…1. */
  madeUp: number;
  /** The other end gave a sign of life. */
  heard: boolean;
  /** How long ago the last packet came, in ms; 0: not known. */
  ago: number;
  /** We sent something, so the other end had to answer. */
  spoke: boolean;
  rttMs?: number;
  maySend?: number;
  pair?: PairKind;
  slow: boolean;
}

/** Of what was sent now: the last word about a layer that has stopped is of another time. */
function lossOf(a: Reading, b: Reading): number {
  let packets = 0;
  let lost = 0;
  for (const [id, s] of b.sent) {
    const more = Math.max(0, s.packets - (a.sent.get(id)?.packets ?? 0));
    packets += more;
    lost += more * s.lost;
  }
  return packets > 0 ? lost / packets : 0;
}

export function between(a: Reading, b: Reading): Sample {
  const seconds = Math.max(0.001, (b.at - a.at) / 1000);
  const grew = (f: (r: Reading) => number) => Math.max(0, f(b) - f(a));
  // The picture that stood still longest: two that stand still at once do not stand still twice as long.
  let freezes = 0;
  let frozen = 0;
  for (const [id, [times, long]] of b.frozen) {
    const [before, until] = a.frozen.get(id) ?? [0, 0];
    if (long - until > frozen) [freezes, frozen] = [times - before, long - until];
  }
  const got = grew((r) => r.packetsIn);
  const lost = grew((r) => r.lostIn);
  const fps = new Map([...b.frames].filter(([, n]) => n > 0).map(([mid, n]) => [mid, Math.max(0, n - (a.frames.get(mid) ?? 0)) / seconds] as const));
  return {
    seconds,
    upKbps: Math.round((grew((r) => r.bytesOut) * 8) / 1000 / seconds),
    downKbps: Math.round((grew((r) => r.bytesIn) * 8) / 1000 / seconds),
    upLoss: Math.min(1, Math.max(0, lossOf(a, b))),
    downLoss: got + lost > 0 ? lost / (got + lost) : 0,
    fps,
    freezes,
    freezeMs: Math.round(frozen * 1000),
    madeUp: grew((r) => r.madeUp) / Math.max(1, grew((r) => r.played)),
    heard: b.signs !== a.signs,
    ago: b.lastIn > 0 ? Math.min(1000 * seconds, Math.max(0, b.wall - b.lastIn)) : 0,
    spoke: b.packetsOut > a.packetsOut,
    ...(b.rttMs === undefined ? {} : { rttMs: b.rttMs }),
    ...(b.maySend === undefined ? {} : { maySend: b.maySend }),
    ...(b.pair ? { pair: b.pair } : {}),
    slow: b.slow,
  };
}

/** Sums that a page or a test wants to know. */
export function factsOf(stats: Stats): MediaFacts {
  const facts: MediaFacts = { framesDecoded: 0, framesSent: 0, audioEnergyReceived: 0, audioEnergySent: 0, packetsLost: 0 };
  const byId = new Map<string, Report>();
  stats.forEach((r) => byId.set(r.id, r));
  for (const r of byId.values()) {
    if (r.type === 'inbound-rtp') {
      facts.framesDecoded += num(r, 'framesDecoded');
      facts.audioEnergyReceived += num(r, 'totalAudioEnergy');
      facts.packetsLost += Math.max(0, num(r, 'packetsLost'));
    } else if (r.type === 'outbound-rtp') facts.framesSent += num(r, 'framesSent');
    else if (r.type === 'media-source') facts.audioEnergySent += num(r, 'totalAudioEnergy');
  }
  const local = byId.get(String(pairOf(byId)?.localCandidateId ?? ''));
  if (local) {
    const relayed = local.candidateType === 'relay';
    facts.path = { protocol: String((relayed && local.relayProtocol) || local.protocol), relayed };
  }
  return facts;
}
