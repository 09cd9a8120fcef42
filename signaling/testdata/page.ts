// The page of browser_test.go: a bare person in a call, who tells the test what they see.
import { createCall, inCall } from '../../web/rtc/index';

const q = new URLSearchParams(location.search);
// The engine keeps its connection to itself; the test wants to see the cipher.
let pc: RTCPeerConnection | undefined;
const Real = RTCPeerConnection;
window.RTCPeerConnection = class extends Real {
  constructor(c?: RTCConfiguration) {
    super(c);
    pc = this;
  }
};

async function cipher(): Promise<string | undefined> {
  let found: string | undefined;
  (await pc?.getStats())?.forEach((r: { type: string; srtpCipher?: string }) => (found ??= r.type === 'transport' ? r.srtpCipher : undefined));
  return found;
}

/** What the camera's encoder is told to make, in bits per second. */
async function target(): Promise<number> {
  let sum = 0;
  (await pc?.getStats())?.forEach((r: { type: string; kind?: string; targetBitrate?: number }) => {
    if (r.type === 'outbound-rtp' && r.kind === 'video') sum += r.targetBitrate ?? 0;
  });
  return sum;
}

/** What the receivers have counted: samples made up for lost ones, and pictures shown. */
async function received() {
  const sum = { samples: 0, concealed: 0, frames: 0, plis: 0 };
  (await pc?.getStats())?.forEach((r: { type: string; kind?: string; totalSamplesReceived?: number; concealedSamples?: number; framesDecoded?: number; pliCount?: number }) => {
    if (r.type !== 'inbound-rtp') return;
    sum.samples += r.totalSamplesReceived ?? 0;
    sum.concealed += r.concealedSamples ?? 0;
    sum.frames += r.framesDecoded ?? 0;
    sum.plis += r.pliCount ?? 0;
  });
  return sum;
}

const call = createCall({ encounter: q.get('e') ?? '', ...(q.has('relay') ? { icePolicy: 'relay' as const } : {}) });
Object.assign(window, { call });

async function tell() {
  const s = call.snapshot();
  if (s.me?.host) for (const p of s.seats) if (p.state === 'waiting') call.admit(p.seat);
  for (const r of s.remote) {
    for (const stream of [r.voice, r.camera]) {
      if (!stream || document.getElementById(stream.id)) continue;
      const v = document.createElement('video');
      v.id = stream.id;
      v.autoplay = true;
      v.srcObject = stream;
      document.body.append(v);
    }
  }
  await fetch('/report?who=' + q.get('who'), {
    method: 'POST',
    body: JSON.stringify({ state: s.state, cause: s.cause, devices: s.devices, remote: s.remote.map((r) => Object.keys(r)), facts: await call.facts(), level: call.micLevel(), cipher: await cipher(), target: await target(), received: await received(), shaken, speaking: s.speaking.length }),
  });
}

/** What happens to people: the network changes, the camera goes off and on. */
const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));
const ufrag = () => /a=ice-ufrag:(\S+)/.exec(pc?.remoteDescription?.sdp ?? '')?.[1];
let shaken = '';
async function shake() {
  const before = ufrag();
  window.dispatchEvent(new Event('online'));
  while (ufrag() === before || pc?.connectionState !== 'connected') await wait(50);
  shaken = 'restarted';
  call.setCamera(false);
  while (call.snapshot().camera) await wait(50);
  await wait(500);
  call.setCamera(true);
  while (!call.snapshot().camera) await wait(50);
  shaken = 'done';
}
let begun = !q.has('shake');
call.subscribe(() => {
  if (begun || !inCall(call.snapshot().state) || call.snapshot().remote.length === 0) return;
  begun = true;
  setTimeout(() => void shake(), 1500);
});

await call.openDevices();
call.start();
setInterval(() => void tell(), 250);
