/**
 * The ways to the media, each tried with a connection that carries nothing, and the rate both ways (signaling/check).
 * No React and no words: the page and the silent check of the day before both use it.
 */
import * as calls from '@/api/calls';
import { address } from '@/api/call';
import type { CheckResult } from '@/api/types';
import { browserOf } from './browser';

export type Way = 'udp' | 'tcp' | 'tls';
export type WayState = CheckResult['udp'];
export type Network = Pick<CheckResult, 'udp' | 'tcp' | 'tls' | 'upKbps' | 'downKbps' | 'rttMs'>;

/** How long one way, and one measure, may take, in milliseconds: the whole stays under 15 s. */
const wayPatience = 7000;
const ratePatience = 3500;

/** Keeps the server's candidates of one transport: the browser has no other way then. */
export function only(sdp: string, transport: 'udp' | 'tcp'): string {
  const other = transport === 'udp' ? /^a=candidate:\S+ \d+ tcp /i : /^a=candidate:\S+ \d+ udp /i;
  return sdp
    .split(/(?<=\n)/)
    .filter((line) => !other.test(line))
    .join('');
}

/** kbit/s of so many bytes in so many ms, of which `still` go without any byte. */
export function kbps(bytes: number, ms: number, still = 0): number {
  return Math.round((bytes * 8) / Math.max(1, ms - still));
}

type Ice = { servers: RTCIceServer[]; bytes: number };

async function tryWay(encounter: string, way: Way, ice: Ice): Promise<{ state: WayState; rttMs?: number }> {
  const secure = ice.servers.flatMap((s) => {
    const urls = [s.urls].flat().filter((u) => u.startsWith('turns:'));
    return urls.length > 0 ? [{ ...s, urls }] : [];
  });
  if (way === 'tls' && secure.length === 0) return { state: 'off' };
  const pc = new RTCPeerConnection(way === 'tls' ? { iceServers: secure, iceTransportPolicy: 'relay' } : { iceServers: [] });
  try {
    pc.addTransceiver('audio', { direction: 'recvonly' });
    const offer = await pc.createOffer();
    await pc.setLocalDescription(offer);
    const { sdp } = await calls.tryConnection(encounter, way, offer.sdp ?? '');
    await pc.setRemoteDescription({ type: 'answer', sdp: way === 'tls' ? sdp : only(sdp, way) });
    const up = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), wayPatience);
      pc.onconnectionstatechange = () => {
        if (pc.connectionState !== 'connected' && pc.connectionState !== 'failed') return;
        clearTimeout(timer);
        resolve(pc.connectionState === 'connected');
      };
    });
    return up ? { state: 'ok', ...(await rtt(pc)) } : { state: 'failed' };
  } catch {
    return { state: 'failed' };
  } finally {
    pc.close();
  }
}

async function rtt(pc: RTCPeerConnection): Promise<{ rttMs?: number }> {
  for (const s of (await pc.getStats()).values() as Iterable<{ type: string; currentRoundTripTime?: number }>) {
    if (s.type === 'candidate-pair' && s.currentRoundTripTime !== undefined) return { rttMs: Math.round(s.currentRoundTripTime * 1000) };
  }
  return {};
}

async function timed(url: string, init: RequestInit): Promise<number> {
  const from = performance.now();
  const answer = await fetch(url, { ...init, cache: 'no-store', signal: AbortSignal.timeout(ratePatience) });
  if (!answer.ok) throw new Error(String(answer.status));
  await answer.arrayBuffer();
  return performance.now() - from;
}

/** What a small piece says is believed when the large one takes too long. */
async function upload(url: string, bytes: number): Promise<number> {
  const send = (size: number) => timed(url, { method: 'POST', headers: { 'Content-Type': 'application/octet-stream' }, body: new Uint8Array(size) });
  const still = await send(1);
  const small = 16 << 10;
  const rate = kbps(small, await send(small), still);
  return send(bytes).then((ms) => kbps(bytes, ms, still), () => rate);
}

async function download(url: string, bytes: number): Promise<number> {
  const from = performance.now();
  let got = 0;
  try {
    const answer = await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(ratePatience) });
    if (!answer.ok || !answer.body) return 0;
    const first = performance.now();
    for (const reader = answer.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) return kbps(bytes, performance.now() - first);
      got += value.length;
    }
  } catch {
    return kbps(got, performance.now() - from);
  }
}

/** Tries everything about the network. It fails only when the server itself cannot be asked. */
export async function tryNetwork(encounter: string, onWay: (way: Way, state: WayState) => void = () => undefined): Promise<Network> {
  const ice = await calls.startCheck(encounter);
  const way = async (w: Way) => {
    const found = await tryWay(encounter, w, ice);
    onWay(w, found.state);
    return found;
  };
  const [udp, tcp, tls] = await Promise.all([way('udp'), way('tcp'), way('tls')]);
  const url = address('/api/encounters/{id}/check/bytes', { id: encounter });
  const downKbps = await download(url, ice.bytes);
  const upKbps = await upload(url, ice.bytes).catch(() => 0);
  return { udp: udp.state, tcp: tcp.state, tls: tls.state, upKbps, downKbps, rttMs: udp.rttMs ?? tcp.rttMs ?? tls.rttMs ?? 0 };
}

type Devices = Pick<CheckResult, 'camera' | 'microphone' | 'speaker'>;

/** Gives the result to the server, which says what it means. */
export function keep(encounter: string, network: Network, devices: Devices, silent: boolean) {
  const browser = browserOf(navigator.userAgent, navigator.maxTouchPoints);
  return calls.keepCheck(encounter, { ...network, ...devices, browser: browser.name, inApp: browser.inApp !== null, silent });
}

async function permission(name: 'camera' | 'microphone'): Promise<CheckResult['camera']> {
  const state = await navigator.permissions?.query({ name: name as PermissionName }).catch(() => null);
  return state?.state === 'denied' ? 'denied' : 'untested';
}

/** The check of the day before: nothing is asked of the person, no light goes on (B12). */
export async function checkSilently(encounter: string) {
  const network = await tryNetwork(encounter);
  return keep(encounter, network, { camera: await permission('camera'), microphone: await permission('microphone'), speaker: 'untested' }, true);
}
