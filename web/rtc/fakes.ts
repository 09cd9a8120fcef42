// For the engine's own tests: a server's side of a WebSocket, and a PeerConnection without a network.

export class FakeSocket {
  sent: Record<string, unknown>[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((e: { data: string }) => void) | null = null;
  onclose: ((e: { code: number }) => void) | null = null;

  constructor(readonly url: string) {}

  send(text: string) {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close() {
    // the engine closed it: nothing comes back
  }

  /** The network opens it. */
  open() {
    this.onopen?.();
  }

  /** The server says something. */
  says(m: Record<string, unknown>) {
    this.onmessage?.({ data: JSON.stringify(m) });
  }

  /** The server or the network closes it. */
  shut(code: number) {
    this.onclose?.({ code });
  }

  last(t: string) {
    return this.sent.filter((m) => m.t === t).at(-1);
  }
}

export class FakeStream {
  constructor(readonly tracks: unknown[] = []) {}
}

export class FakePeerConnection {
  static all: FakePeerConnection[] = [];
  connectionState = 'new';
  signalingState = 'stable';
  onconnectionstatechange: (() => void) | null = null;
  closed = false;
  restarts = 0;
  transceivers: { mid: string; kind: string; direction: string; sender: FakeSender; receiver: { track: unknown; getSynchronizationSources: () => { timestamp: number; rtpTimestamp: number }[] } }[] = [];
  /** The newest picture or sound of a section, as getSynchronizationSources says it; none: the browser does not tell. */
  newest: ((mid: string) => number) | null = null;

  constructor(readonly configuration: RTCConfiguration) {
    FakePeerConnection.all.push(this);
  }

  addTransceiver(kind: string, init: { direction: string; sendEncodings?: RTCRtpEncodingParameters[] }) {
    const mid = String(this.transceivers.length);
    const t = { mid, kind, direction: init.direction, sender: new FakeSender(init.sendEncodings ?? []), receiver: { track: { id: `remote-${mid}`, kind }, getSynchronizationSources: () => (this.newest ? [{ timestamp: 0, rtpTimestamp: this.newest(mid) }] : []) } };
    this.transceivers.push(t);
    return t;
  }

  getTransceivers() {
    return this.transceivers;
  }

  setConfiguration() {
    // nothing to do without a network
  }

  async createOffer(o?: { iceRestart?: boolean }) {
    if (o?.iceRestart) this.restarts += 1;
    return { type: 'offer', sdp: 'v=0\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n' };
  }

  async setLocalDescription(d: { type: string }) {
    this.signalingState = d.type === 'rollback' ? 'stable' : 'have-local-offer';
  }

  async setRemoteDescription() {
    this.signalingState = 'stable';
  }

  /** What getStats says: rows with an id and a type. */
  stats: () => { id: string; type: string }[] = () => [];

  async getStats() {
    return new Map(this.stats().map((r) => [r.id, r]));
  }

  close() {
    this.closed = true;
  }

  becomes(state: string) {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}

export class FakeSender {
  track: unknown = null;

  constructor(public encodings: RTCRtpEncodingParameters[] = []) {}

  getParameters() {
    return { encodings: this.encodings.map((e) => ({ ...e })) };
  }

  async setParameters(p: { encodings: RTCRtpEncodingParameters[] }) {
    this.encodings = p.encodings;
  }

  async replaceTrack(track: unknown) {
    this.track = track;
  }
}
