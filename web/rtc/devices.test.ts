// Devices as a phone and a cable treat them: fakes of the browser, no hardware.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { DeviceNote } from './api';
import { Devices } from './devices';
import { Extras } from './extras';
import { Hearing, silentAfter } from './hearing';
import { Network } from './network';

class Track extends EventTarget {
  readyState = 'live';
  enabled = true;
  muted = false;
  onended: (() => void) | null = null;
  onmute: (() => void) | null = null;
  onunmute: (() => void) | null = null;
  asked: unknown[] = [];
  constructor(
    readonly kind: 'audio' | 'video',
    readonly deviceId: string,
    readonly label = deviceId,
    readonly can: Record<string, unknown> = {},
  ) {
    super();
  }
  getSettings() {
    return { deviceId: this.deviceId, ...(this.can.facingMode ? { facingMode: this.can.facingMode } : {}) };
  }
  getConstraints() {
    return { width: 1280 };
  }
  getCapabilities() {
    return this.can;
  }
  async applyConstraints(c: unknown) {
    this.asked.push(c);
    if (this.can.refuses) throw new Error('no');
  }
  stop() {
    this.readyState = 'ended';
  }
}

class Stream {
  constructor(readonly list: Track[]) {}
  getAudioTracks = () => this.list.filter((t) => t.kind === 'audio');
  getVideoTracks = () => this.list.filter((t) => t.kind === 'video');
}

type Plugged = { kind: 'audioinput' | 'videoinput'; deviceId: string; label: string };
let plugged: Plugged[];
let fails: Partial<Record<'audio' | 'video', Error>>;
let permission: { state: string; name: string; onchange: (() => void) | null };
let given: Track[];
let media: EventTarget;
let notes: string[];
let sent: string[];
let devices: Devices;

const flush = () => new Promise((r) => setTimeout(r, 0));
const say = (n: DeviceNote) => `${n.kind} ${n.what}${n.label ? ` ${n.label}` : ''}`;

beforeEach(() => {
  plugged = [
    { kind: 'audioinput', deviceId: 'built-in', label: 'Micro intégré' },
    { kind: 'videoinput', deviceId: 'cam', label: 'Caméra' },
  ];
  fails = {};
  permission = { state: 'granted', name: 'camera', onchange: null };
  given = [];
  notes = [];
  sent = [];
  media = Object.assign(new EventTarget(), {
    enumerateDevices: async () => plugged,
    getUserMedia: async (c: Record<string, { deviceId?: { exact: string } } | undefined>) => {
      const tracks = (['audio', 'video'] as const).flatMap((kind) => {
        const wanted = c[kind];
        if (!wanted) return [];
        if (fails[kind]) throw fails[kind];
        const found = plugged.find((d) => d.kind === `${kind}input` && (!wanted.deviceId || d.deviceId === wanted.deviceId.exact));
        if (!found) throw Object.assign(new Error(), { name: 'NotFoundError' });
        return [new Track(kind, found.deviceId, found.label)];
      });
      given.push(...tracks);
      return new Stream(tracks);
    },
  });
  vi.stubGlobal('MediaStream', Stream);
  vi.stubGlobal('navigator', { mediaDevices: media, permissions: { query: async ({ name }: { name: string }) => Object.assign(permission, { name }) } });
  devices = new Devices({ changed: () => undefined, track: (kind, t) => sent.push(`${kind} ${t ? (t as unknown as Track).deviceId : 'none'}`), note: (n) => notes.push(say(n)) });
});
afterEach(() => {
  devices.dispose();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const newest = (kind: 'audio' | 'video') => given.filter((t) => t.kind === kind).at(-1) as Track;
const plug = async (d: Plugged) => {
  plugged = [...plugged, d];
  media.dispatchEvent(new Event('devicechange'));
  await flush();
};

test('a headset pulled out: the built-in microphone takes its place, and says so', async () => {
  plugged = [{ kind: 'audioinput', deviceId: 'headset', label: 'Casque' }, ...plugged];
  await devices.open({ microphone: 'headset' });
  plugged = plugged.slice(1);
  newest('audio').onended?.();
  await flush();
  expect(devices.status.microphone).toMatchObject({ state: 'on', label: 'Micro intégré' });
  expect(notes).toEqual(['microphone lost', 'microphone switched Micro intégré']);
  expect(sent.at(-1)).toBe('microphone built-in');
});

test('the only microphone pulled out, and plugged in again', async () => {
  await devices.open({ microphone: true });
  plugged = plugged.filter((d) => d.kind !== 'audioinput');
  newest('audio').onended?.();
  await flush();
  expect(devices.status.microphone).toEqual({ state: 'problem', cause: 'unplugged' });
  await plug({ kind: 'audioinput', deviceId: 'usb', label: 'USB' });
  expect(devices.status.microphone).toMatchObject({ state: 'on', label: 'USB' });
  expect(notes).toEqual(['microphone lost', 'microphone back USB']);
});

test('a headset plugged in is offered, and what works is kept', async () => {
  await devices.open({ microphone: true });
  await flush();
  await plug({ kind: 'audioinput', deviceId: 'headset', label: 'Casque' });
  expect(notes).toEqual(['microphone offered Casque']);
  expect(devices.status.microphone).toMatchObject({ label: 'Micro intégré' });
});

test('a camera that another application took is there, and is said to be taken', async () => {
  await devices.open({ camera: true });
  newest('video').onended?.();
  await flush();
  expect(devices.status.camera).toEqual({ state: 'problem', cause: 'busy' });
  expect(sent.at(-1)).toBe('camera none');
});

test('a permission taken back in the call is no broken camera; given again in the browser’s menu it is used at once', async () => {
  await devices.open({ camera: true });
  permission.state = 'denied';
  newest('video').onended?.();
  await flush();
  expect(devices.status.camera).toEqual({ state: 'problem', cause: 'denied' });
  expect(notes).toEqual(['camera lost', 'camera denied']);
  permission.state = 'granted';
  permission.onchange?.();
  await flush();
  expect(devices.status.camera).toMatchObject({ state: 'on' });
});

test('a phone call cuts both; it is over: unmuted by the system, or opened again by one tap', async () => {
  await devices.open({ microphone: true, camera: true });
  newest('audio').onmute?.();
  newest('video').onmute?.();
  expect(devices.status).toMatchObject({ microphone: { cause: 'interrupted' }, camera: { cause: 'interrupted' } });
  newest('audio').onunmute?.();
  expect(devices.status.microphone).toMatchObject({ state: 'on' });
  const before = newest('video');
  await devices.wake();
  expect(devices.status.camera).toMatchObject({ state: 'on' });
  expect(before.readyState).toBe('ended');
  expect(notes).toEqual(['microphone interrupted', 'camera interrupted', 'camera back Caméra']);
});

test('still on the telephone: the tap changes nothing, and the cause stays', async () => {
  await devices.open({ camera: true });
  newest('video').onmute?.();
  fails.video = Object.assign(new Error(), { name: 'NotReadableError' });
  await devices.wake();
  expect(devices.status.camera).toEqual({ state: 'problem', cause: 'interrupted' });
});

test('the back camera does not open: the front one is given back', async () => {
  const open = (media as unknown as { getUserMedia: (c: { video?: { facingMode?: string } }) => Promise<Stream> });
  const asked: (string | undefined)[] = [];
  open.getUserMedia = async (c) => {
    asked.push(c.video?.facingMode);
    if (c.video?.facingMode === 'environment') throw Object.assign(new Error(), { name: 'NotReadableError' });
    return new Stream([new Track('video', 'front', 'front', { facingMode: 'user' })]);
  };
  await devices.open({ camera: true });
  await devices.nextCamera();
  expect(asked).toEqual(['user', 'environment', 'user']);
  expect(devices.facing).toBe('user');
  expect(devices.status.camera).toMatchObject({ state: 'on', label: 'front' });
});

describe('what a camera can besides', () => {
  const camera = (can: Record<string, unknown>) => new Track('video', 'c', 'c', can);
  const use = (t: Track | null) => t as unknown as MediaStreamTrack | null;

  test('a lamp and a blur are offered only where they are', async () => {
    const extras = new Extras(() => undefined);
    extras.use(use(camera({})));
    expect([extras.torch, extras.blur]).toEqual([undefined, undefined]);
    const t = camera({ torch: true, backgroundBlur: [true, false] });
    extras.use(use(t));
    expect([extras.torch, extras.blur]).toEqual([false, false]);
    await extras.setTorch(true);
    expect(extras.torch).toBe(true);
    expect(t.asked).toEqual([{ width: 1280, advanced: [{ torch: true }] }]);
  });

  test('a lamp that refuses stays off', async () => {
    const extras = new Extras(() => undefined);
    extras.use(use(camera({ torch: true, refuses: true })));
    await extras.setTorch(true);
    expect(extras.torch).toBe(false);
  });

  test('the blur goes off by itself on a machine at its limit, and follows to another camera', async () => {
    const extras = new Extras(() => undefined);
    extras.use(use(camera({ backgroundBlur: [true, false] })));
    await extras.setBlur(true);
    extras.use(use(camera({ backgroundBlur: [true] })));
    await flush();
    expect(extras.blur).toBe(true);
    for (let i = 0; i < 4; i += 1) extras.tick(true, 1);
    extras.tick(false, 1);
    for (let i = 0; i < 4; i += 1) extras.tick(true, 1);
    await flush();
    expect(extras.blur).toBe(true);
    extras.tick(true, 1);
    await flush();
    expect(extras.blur).toBe(false);
  });
});

describe('a microphone that gives nothing', () => {
  let value: number;
  let told: boolean[];
  let hearing: Hearing;
  const track = { enabled: true, muted: false };
  class Context {
    state = 'running';
    createMediaStreamSource = () => ({ connect: () => undefined, disconnect: () => undefined });
    createAnalyser = () => ({ fftSize: 0, getFloatTimeDomainData: (b: Float32Array) => void b.fill(value) });
    resume = async () => void (this.state = 'running');
    close = async () => undefined;
  }
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('AudioContext', Context);
    value = 0;
    told = [];
    track.enabled = true;
    hearing = new Hearing(track as unknown as MediaStreamTrack, (silent) => told.push(silent));
  });
  afterEach(() => hearing.close());

  test('is said after 5 s, and taken back at the first sound', () => {
    vi.advanceTimersByTime(silentAfter.first - 100);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(500);
    expect(told).toEqual([true]);
    value = 0.001;
    vi.advanceTimersByTime(300);
    expect(told).toEqual([true, false]);
  });

  test('once heard it is given 15 s: a switch on the headset, not a pause in speech', () => {
    value = 0.1;
    vi.advanceTimersByTime(1000);
    value = 0;
    vi.advanceTimersByTime(14_000);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(1500);
    expect(told).toEqual([true]);
  });

  test('one that we muted ourselves is not silent', () => {
    track.enabled = false;
    vi.advanceTimersByTime(60_000);
    expect(told).toEqual([]);
  });
});

describe('the network', () => {
  test('says once that it changed, whatever the number of events, and knows a guess of speed from a change', () => {
    const world = new EventTarget();
    const connection = Object.assign(new EventTarget(), { type: 'wifi' });
    vi.stubGlobal('addEventListener', world.addEventListener.bind(world));
    vi.stubGlobal('removeEventListener', world.removeEventListener.bind(world));
    vi.stubGlobal('navigator', { onLine: true, connection });
    const said: string[] = [];
    const network = new Network({ changed: () => said.push('changed'), offline: (is) => said.push(is ? 'offline' : 'online'), seen: () => undefined, hidden: () => undefined });
    connection.dispatchEvent(new Event('change'));
    expect(said).toEqual([]);
    world.dispatchEvent(new Event('offline'));
    connection.type = 'none';
    connection.dispatchEvent(new Event('change'));
    expect(said).toEqual(['offline']);
    connection.type = 'cellular';
    connection.dispatchEvent(new Event('change'));
    world.dispatchEvent(new Event('online'));
    expect(said).toEqual(['offline', 'changed', 'online']);
    network.dispose();
    world.dispatchEvent(new Event('offline'));
    expect(said).toHaveLength(3);
  });
});
