// One PeerConnection: one offer for its whole life, slots bound by message, ICE restarted when cut.

import type { MediaFacts, RemoteMedia } from './api';
import type { IceGrant, Slot, Source } from './wire';

export interface PeerEvents {
  /** Send this offer; the answer comes back by answer(). */
  offer: (sdp: string) => void;
  /** up: media flows. cut: it did and does not. */
  media: (m: 'up' | 'cut') => void;
  /** Nothing helps any more: make a new PeerConnection. */
  dead: () => void;
  remote: () => void;
  /** Before a restart: fresh credentials, or none needed. */
  ice: () => Promise<IceGrant | null>;
}

/** The ladder of docs/signaling.md §6.6, in ms. */
export const ladder = { restart: 3000, rebuild: 8000 } as const;

const bitrates = { camera: 1_200_000, screen: 2_000_000 } as const;

/** Asks the server's answer for DTX: silence costs nothing (RFC 7587 §3.1.3). */
export function withDtx(sdp: string): string {
  return sdp.replace(/^(a=fmtp:\d+ [^\r\n]*useinbandfec=1)(?![^\r\n]*usedtx)/gm, '$1;usedtx=1');
}

export class Peer {
  readonly pc: RTCPeerConnection;
  private readonly senders = new Map<Source, RTCRtpSender>();
  private slots: readonly Slot[] = [];
  private streams = new Map<string, MediaStream>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private wasUp = false;
  private closed = false;
  private negotiating = false;

  constructor(
    readonly number: number,
    grant: IceGrant,
    slots: number,
    policy: 'all' | 'relay' | undefined,
    private readonly on: PeerEvents,
  ) {
    this.pc = new RTCPeerConnection({ ...configuration(grant, policy), bundlePolicy: 'max-bundle' });
    this.policy = policy;
    this.send('voice', 'audio', {});
    this.send('camera', 'video', { maxBitrate: bitrates.camera });
    this.send('screen', 'video', { maxBitrate: bitrates.screen });
    this.send('sound', 'audio', {});
    for (const kind of ['audio', 'video'] as const) {
      for (let i = 0; i < slots; i += 1) preferVP8(this.pc.addTransceiver(kind, { direction: 'recvonly' }), kind);
    }
    this.pc.onconnectionstatechange = () => this.stateChanged();
  }

  private readonly policy: 'all' | 'relay' | undefined;

  private send(source: Source, kind: 'audio' | 'video', encoding: RTCRtpEncodingParameters) {
    const t = this.pc.addTransceiver(kind, { direction: 'sendonly', sendEncodings: [encoding] });
    preferVP8(t, kind);
    this.senders.set(source, t.sender);
  }

  /** Puts a track into its section; no renegotiation. */
  async put(source: Source, track: MediaStreamTrack | null) {
    if (this.closed) return;
    await this.senders.get(source)?.replaceTrack(track);
  }

  /** The one offer. */
  async open() {
    await this.negotiate(false);
  }

  private async negotiate(iceRestart: boolean) {
    if (this.closed || this.negotiating) return;
    this.negotiating = true;
    try {
      if (iceRestart) {
        const grant = await this.on.ice();
        if (this.closed) return;
        if (grant) this.pc.setConfiguration({ ...configuration(grant, this.policy), bundlePolicy: 'max-bundle' });
      }
      // An offer that was never answered (the socket was away) is taken back.
      if (this.pc.signalingState === 'have-local-offer') await this.pc.setLocalDescription({ type: 'rollback' });
      const offer = await this.pc.createOffer({ iceRestart });
      await this.pc.setLocalDescription(offer);
      // The server needs none of our candidates, so nothing is waited for.
      if (!this.closed) this.on.offer(withDtx(offer.sdp ?? ''));
    } finally {
      this.negotiating = false;
    }
  }

  async answer(sdp: string) {
    if (this.closed || this.pc.signalingState !== 'have-local-offer') return;
    await this.pc.setRemoteDescription({ type: 'answer', sdp });
    this.on.remote();
  }

  private stateChanged() {
    if (this.closed) return;
    switch (this.pc.connectionState) {
      case 'connected':
        this.stopTimer();
        this.wasUp = true;
        this.on.media('up');
        break;
      case 'disconnected':
        this.cut();
        this.later(ladder.restart, () => this.restart());
        break;
      case 'failed':
        this.cut();
        this.restart();
        break;
    }
  }

  private cut() {
    if (this.wasUp) this.on.media('cut');
  }

  /** New path, same streams. Without success: a new PeerConnection. */
  restart() {
    if (this.closed) return;
    this.later(ladder.rebuild, () => this.on.dead());
    this.negotiate(true).catch(() => this.on.dead());
  }

  /** What the server says the receive sections carry. */
  bind(slots: readonly Slot[]) {
    this.slots = slots;
    this.on.remote();
  }

  remote(): RemoteMedia[] {
    const people = new Map<string, RemoteMedia>();
    const kept = new Map<string, MediaStream>();
    for (const s of this.slots) {
      const track = this.pc.getTransceivers().find((t) => t.mid === s.mid)?.receiver.track;
      if (!track) continue;
      const key = `${s.seat}/${s.source}/${s.mid}`;
      const stream = this.streams.get(key) ?? new MediaStream([track]);
      kept.set(key, stream);
      const person = people.get(s.seat) ?? { seat: s.seat };
      person[s.source] = stream;
      people.set(s.seat, person);
    }
    this.streams = kept;
    return [...people.values()];
  }

  async facts(): Promise<MediaFacts> {
    return factsOf(await this.pc.getStats());
  }

  private later(ms: number, f: () => void) {
    this.stopTimer();
    this.timer = setTimeout(f, ms);
  }

  private stopTimer() {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
  }

  close() {
    this.closed = true;
    this.stopTimer();
    this.pc.onconnectionstatechange = null;
    this.pc.close();
  }
}

function configuration(grant: IceGrant, policy: 'all' | 'relay' | undefined): RTCConfiguration {
  return { iceServers: grant.servers, iceTransportPolicy: policy ?? grant.policy };
}

/** Every browser knows VP8; Safari would offer H.264 first, which not all can receive. */
function preferVP8(t: RTCRtpTransceiver, kind: 'audio' | 'video') {
  if (kind !== 'video' || typeof t.setCodecPreferences !== 'function') return;
  const known = RTCRtpReceiver.getCapabilities?.('video')?.codecs ?? [];
  const rank = (mime: string) => (/vp8/i.test(mime) ? 0 : /h264/i.test(mime) ? 1 : 2);
  const list = known.filter((c) => /vp8|h264|rtx/i.test(c.mimeType)).sort((a, b) => rank(a.mimeType) - rank(b.mimeType));
  if (list.length > 0) t.setCodecPreferences(list);
}

type Report = Record<string, unknown> & { type: string; id: string };

/** Sums what a page, a test or a quality report wants to know. */
export function factsOf(stats: { forEach: (f: (r: Report) => void) => void }): MediaFacts {
  const facts: MediaFacts = { framesDecoded: 0, framesSent: 0, audioEnergyReceived: 0, audioEnergySent: 0, packetsLost: 0 };
  const byId = new Map<string, Report>();
  stats.forEach((r) => byId.set(r.id, r));
  const num = (r: Report, name: string) => (typeof r[name] === 'number' ? r[name] : 0);
  for (const r of byId.values()) {
    if (r.type === 'inbound-rtp') {
      facts.framesDecoded += num(r, 'framesDecoded');
      facts.audioEnergyReceived += num(r, 'totalAudioEnergy');
      // Below zero when packets came twice (RFC 3550 §6.4.1), as Firefox reports it.
      facts.packetsLost += Math.max(0, num(r, 'packetsLost'));
    } else if (r.type === 'outbound-rtp') facts.framesSent += num(r, 'framesSent');
    else if (r.type === 'media-source') facts.audioEnergySent += num(r, 'totalAudioEnergy');
    else if (r.type === 'transport' && typeof r.selectedCandidatePairId === 'string') {
      const local = byId.get(String(byId.get(r.selectedCandidatePairId)?.localCandidateId ?? ''));
      if (local) {
        const relayed = local.candidateType === 'relay';
        facts.path = { protocol: String((relayed && local.relayProtocol) || local.protocol), relayed };
      }
    }
  }
  return facts;
}
