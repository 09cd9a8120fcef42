// The people of struck_test.go: a bare page in a call, that notices how long nothing came.
import { createCall } from '../../../web/rtc/index';

type Count = { at: number; pictures: number; sound: number };

let call: ReturnType<typeof createCall> | undefined;
const peers: RTCPeerConnection[] = [];
let connections = 0;
let last: Count | undefined;
let lastPicture = 0;
let lastSound = 0;
let gapPicture = 0;
let gapSound = 0;
let total = 0;
let states: string[] = [];
let firstPicture = 0; // ms of Date.now()
let firstSound = 0;

async function look() {
  const now = performance.now();
  // Of what the page would show and play, whichever connection brings it.
  const tracks = (call?.snapshot().remote ?? []).flatMap((m) => [m.voice, m.camera]).flatMap((s) => s?.getTracks() ?? []);
  const all: Record<string, unknown>[] = [];
  for (const p of peers) {
    if (p.connectionState === 'closed') continue;
    for (const r of p.getReceivers()) if (tracks.includes(r.track)) all.push(...(await p.getStats(r.track)).values());
  }
  const of = (kind: string, name: string) =>
    all.filter((r) => r.type === 'inbound-rtp' && r.kind === kind).reduce((n, r) => n + Number(r[name] ?? 0), 0);
  const here = { at: now, pictures: of('video', 'framesDecoded'), sound: of('audio', 'packetsReceived') };
  if (last && here.pictures > 0) {
    const more = here.pictures - last.pictures;
    if (more !== 0) lastPicture = now;
    if (here.sound !== last.sound) lastSound = now;
    total += Math.max(0, more);
  }
  if (here.pictures > 0) firstPicture ||= Date.now();
  if (here.sound > 0) firstSound ||= Date.now();
  if (lastPicture) gapPicture = Math.max(gapPicture, now - lastPicture);
  if (lastSound) gapSound = Math.max(gapSound, now - lastSound);
  last = here;
}

async function begin(encounter: string) {
  const Real = RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(c: RTCConfiguration = {}) {
      super(c);
      peers.push(this);
      connections += 1;
    }
  };
  const made = (call = createCall({ encounter }));
  made.subscribe(() => {
    const s = made.snapshot();
    const state = `${s.state}/${s.socket}`;
    if (states.at(-1) !== state) states.push(state);
    if (s.me?.host) for (const p of s.seats) if (p.state === 'waiting') made.admit(p.seat);
  });
  setInterval(() => void look(), 40);
  await made.openDevices();
  made.start();
}

/** Waits for so many more pictures, then tells what happened since the last time. */
async function tell(fresh: number) {
  const want = total + fresh;
  while (total < want || !states.at(-1)?.endsWith('/open')) await new Promise((done) => setTimeout(done, 40));
  const said = { gapPicture: Math.round(gapPicture), gapSound: Math.round(gapSound), connections, states, firstPicture, firstSound };
  gapPicture = 0;
  gapSound = 0;
  states = states.slice(-1);
  return said;
}

Object.assign(window, { person: { begin, tell } });
