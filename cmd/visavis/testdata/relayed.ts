// The people of relayed_test.go: a bare page in a call, that tells which way its media goes.
import { createCall } from '../../../web/rtc/index';

let pc: RTCPeerConnection | undefined;

/** only: keep of the servers offered those whose address begins so. */
async function begin(encounter: string, only: string) {
  const Real = RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(c: RTCConfiguration = {}) {
      const servers = (c.iceServers ?? []).map((s) => ({ ...s, urls: [s.urls].flat().filter((u) => u.startsWith(only)) }));
      super({ ...c, iceServers: servers.filter((s) => s.urls.length > 0) });
      pc = this;
    }
  };
  const call = createCall({ encounter, icePolicy: 'relay' });
  setInterval(() => {
    const s = call.snapshot();
    Object.assign(window, { state: `${s.state} ${s.cause ?? ''}` });
    if (s.me?.host) for (const p of s.seats) if (p.state === 'waiting') call.admit(p.seat);
  }, 250);
  await call.openDevices();
  call.start();
}

/** What came and went, and the way: `relayProtocol` is udp, tcp or tls. */
async function tell() {
  const all = [...((await pc?.getStats()) ?? new Map<string, never>()).values()] as Record<string, unknown>[];
  const sum = (type: string, name: string) => all.filter((r) => r.type === type).reduce((n, r) => n + Number(r[name] ?? 0), 0);
  const transport = all.find((r) => r.type === 'transport');
  const pair = all.find((r) => r.id === transport?.selectedCandidatePairId);
  const local = all.find((r) => r.id === pair?.localCandidateId);
  return {
    state: (window as unknown as { state?: string }).state ?? '',
    decoded: sum('inbound-rtp', 'framesDecoded'),
    sent: sum('outbound-rtp', 'framesSent'),
    heard: all.filter((r) => r.type === 'inbound-rtp' && r.kind === 'audio').reduce((n, r) => n + Number(r.packetsReceived ?? 0), 0),
    kind: local?.candidateType,
    relay: local?.relayProtocol,
  };
}

Object.assign(window, { person: { begin, tell } });
