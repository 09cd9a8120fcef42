// One PeerConnection: one offer for its whole life, slots bound by message, its path asked for anew when it is cut.

import type { MediaFacts, RemoteMedia } from './api';
import type { Share } from './quality';
import { factsOf, readingOf, type Reading } from './stats';
import type { IceGrant, Slot, Source } from './wire';

export interface PeerEvents {
  /** Send this offer; the answer comes back by answer(). */
  offer: (sdp: string) => void;
  /** What the browser says of the path: it stands, is silent, or is given up. */
  path: (p: 'up' | 'quiet' | 'failed') => void;
  /** Nothing helps any more: make a new PeerConnection. */
  dead: () => void;
  remote: () => void;
  /** Before a restart: fresh credentials, or none needed. */
  ice: () => Promise<IceGrant | null>;
}

/** Layers of a camera, the smallest first: a receiver gets the one that its link carries (docs/signaling.md §6.2). */
const layers: readonly RTCRtpEncodingParameters[] = [
  { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 120_000 },
  { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 400_000 },
  { rid: 'f', maxBitrate: 1_200_000 },
];
const screenBitrate = 2_000_000;
/**
 * A voice in bit/s. RED doubles it; where little passes it goes without, unless the link loses by chance, and in longer
 * frames, so that it fits into 60 kbit/s with the feedback for what comes (journey 4.1 step 8); in-band FEC remains.
 */
const voice = { full: 48_000, small: 20_000, none: 20_000 } as const;

/** Asks the server's answer for DTX: silence costs nothing (RFC 7587 §3.1.3). */
export function withDtx(sdp: string): string {
  return sdp.replace(/^(a=fmtp:\d+ [^\r\n]*useinbandfec=1)(?![^\r\n]*usedtx)/gm, '$1;usedtx=1');
}

/**
 * Asks for losses of a voice too (docs/signaling.md §6.2). Browsers can, and offer it for pictures only; one that does
 * not take its own offer back changed keeps the one it made.
 */
export function withVoiceNack(sdp: string): string {
  return sdp.replace(/^a=rtpmap:(\d+) (?:opus|red)\/48000[^\r\n]*\r?\n(?!a=rtcp-fb:\1 nack)/gim, '$&a=rtcp-fb:$1 nack\r\n');
}

/** Not yet in TypeScript's own types (WebRTC extensions, RTCRtpEncodingParameters.codec). */
type WithCodec = RTCRtpEncodingParameters & { codec?: RTCRtpCodec; adaptivePtime?: boolean };

export class Peer {
  readonly pc: RTCPeerConnection;
  private readonly senders = new Map<Source, RTCRtpSender>();
  private slots: readonly Slot[] = [];
  private streams = new Map<string, MediaStream>();
  closed = false;
  private negotiating = false;

  constructor(
    readonly number: number,
    grant: IceGrant,
    slots: number,
    private readonly policy: 'all' | 'relay' | undefined,
    private readonly on: PeerEvents,
  ) {
    this.pc = new RTCPeerConnection({ ...configuration(grant, policy), bundlePolicy: 'max-bundle' });
    this.send('voice', 'audio', [{ priority: 'high', maxBitrate: voice.full }]);
    this.send('camera', 'video', layers);
    this.send('screen', 'video', [{ maxBitrate: screenBitrate }]);
    this.send('sound', 'audio', [{}]);
    for (const kind of ['audio', 'video'] as const) {
      for (let i = 0; i < slots; i += 1) prefer(this.pc.addTransceiver(kind, { direction: 'recvonly' }), kind);
    }
    this.pc.onconnectionstatechange = () => this.stateChanged();
  }

  private send(source: Source, kind: 'audio' | 'video', encodings: readonly RTCRtpEncodingParameters[]) {
    const t = this.pc.addTransceiver(kind, { direction: 'sendonly', sendEncodings: encodings.map((e) => ({ ...e })) });
    prefer(t, kind);
    this.senders.set(source, t.sender);
  }

  /** Puts a track into its section; no renegotiation. */
  async put(source: Source, track: MediaStreamTrack | null) {
    if (this.closed) return;
    await this.senders.get(source)?.replaceTrack(track);
  }

  /** How much of the camera goes out: whole, its smallest layer alone, nothing. The voice takes less with it; `lossy`: yet is sent twice. */
  async shape(share: Share, lossy: boolean) {
    await this.encode('camera', (e, i) => {
      e.active = share === 'full' || (share === 'small' && i === 0);
    });
    const thin = (e: RTCRtpEncodingParameters) => {
      e.maxBitrate = voice[share];
      // Longer frames where little passes: fewer headers (Chromium).
      (e as WithCodec).adaptivePtime = share !== 'full' && !lossy;
    };
    const plain = RTCRtpSender.getCapabilities?.('audio')?.codecs.find((c) => /opus$/i.test(c.mimeType));
    const done = await this.encode('voice', (e) => {
      thin(e);
      // No renegotiation: both were agreed on (Chromium, Safari 18; elsewhere the bitrate alone).
      if (share === 'full' || lossy || !plain) delete (e as WithCodec).codec;
      else (e as WithCodec).codec = plain;
    });
    if (!done) await this.encode('voice', thin);
  }

  /** How long sound is held back before it plays, in ms; null: as the browser likes (WebRTC extensions, jitterBufferTarget). */
  hold(ms: number | null) {
    for (const t of this.pc.getTransceivers()) {
      const receiver = t.receiver as RTCRtpReceiver & { jitterBufferTarget?: number | null };
      if (receiver.track?.kind === 'audio' && 'jitterBufferTarget' in receiver) receiver.jitterBufferTarget = ms;
    }
  }

  /** False when the browser would not: then all is as it was. */
  private async encode(source: Source, change: (e: RTCRtpEncodingParameters, i: number) => void): Promise<boolean> {
    const sender = this.senders.get(source);
    if (this.closed || !sender?.getParameters) return true;
    const parameters = sender.getParameters();
    parameters.encodings?.forEach(change);
    return sender.setParameters(parameters).then(
      () => true,
      () => false,
    );
  }

  get connected(): boolean {
    return this.pc.connectionState === 'connected';
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
      const plain = await this.pc.createOffer({ iceRestart });
      const asking = { type: 'offer', sdp: withVoiceNack(plain.sdp ?? '') } as const;
      const offer = await this.pc.setLocalDescription(asking).then(
        () => asking,
        () => this.pc.setLocalDescription(plain).then(() => plain),
      );
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
    const { connectionState } = this.pc;
    if (connectionState === 'connected') this.on.path('up');
    else if (connectionState === 'disconnected') this.on.path('quiet');
    else if (connectionState === 'failed') this.on.path('failed');
  }

  /** New path, same streams. */
  restart() {
    if (!this.closed) this.negotiate(true).catch(() => this.on.dead());
  }

  /** What the server says the receive sections carry. */
  bind(slots: readonly Slot[]) {
    this.slots = slots;
    this.on.remote();
  }

  get bound(): readonly Slot[] {
    return this.slots;
  }

  /** `still` tells whether the picture of a section does not move. */
  remote(still: (s: Slot) => boolean): RemoteMedia[] {
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
      if (s.source === 'camera' && still(s)) person.still = true;
      people.set(s.seat, person);
    }
    this.streams = kept;
    return [...people.values()];
  }

  /** A number that changes when something of a stream arrives; undefined where the browser does not tell. Costs no getStats. */
  pulse(): number | undefined {
    const bound = new Set(this.slots.map((s) => s.mid));
    const sources = this.pc.getTransceivers().flatMap((t) => (t.mid && bound.has(t.mid) ? (t.receiver.getSynchronizationSources?.() ?? []) : []));
    return sources.length > 0 ? sources.reduce((sum, s) => sum + s.timestamp + s.rtpTimestamp, 0) : undefined;
  }

  async facts(): Promise<MediaFacts> {
    return factsOf(await this.pc.getStats());
  }

  async reading(): Promise<Reading> {
    return readingOf(await this.pc.getStats(), performance.now(), Date.now());
  }

  close() {
    this.closed = true;
    this.pc.onconnectionstatechange = null;
    this.pc.close();
  }
}

function configuration(grant: IceGrant, policy: 'all' | 'relay' | undefined): RTCConfiguration {
  return { iceServers: grant.servers, iceTransportPolicy: policy ?? grant.policy };
}

/**
 * Every browser knows VP8; Safari would offer H.264 first, which not all can receive. Each packet of a voice carries
 * the one before it (RED, RFC 2198) where the browser can: a lost packet is then no lost word.
 */
const order: Record<'audio' | 'video', readonly RegExp[]> = { audio: [/\/red$/i, /\/opus$/i], video: [/vp8/i, /h264/i, /rtx/i] };

function prefer(t: RTCRtpTransceiver, kind: 'audio' | 'video') {
  if (typeof t.setCodecPreferences !== 'function') return;
  const known = RTCRtpReceiver.getCapabilities?.(kind)?.codecs ?? [];
  const list = order[kind].flatMap((wanted) => known.filter((c) => wanted.test(c.mimeType)));
  if (list.length > 0) t.setCodecPreferences(list);
}
