// Microphone and camera: opened together, explained when they fail, watched while they live.

import type { DeviceCause, DeviceKind, DeviceStatus } from './api';

/** What went wrong, from what getUserMedia threw. */
export function causeOf(error: unknown): DeviceCause {
  switch ((error as { name?: string } | null)?.name) {
    case 'NotAllowedError':
      return 'denied';
    case 'SecurityError':
      return 'forbidden';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    default:
      return 'failed';
  }
}

/** −60 dBFS…0 dBFS as 0…1. */
export function levelOf(samples: Float32Array): number {
  let sum = 0;
  for (const x of samples) sum += x * x;
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  if (rms <= 0) return 0;
  return Math.min(1, Math.max(0, 1 + Math.log10(rms) / 3));
}

/** How long a microphone may give nothing but digital silence before we say so, in ms. */
const silentAfter = 5000;
const lookEvery = 250;

export interface DeviceEvents {
  changed: () => void;
  /** A track to send instead of the last one of its kind; null: none any more. */
  track: (kind: DeviceKind, track: MediaStreamTrack | null) => void;
}

type Want = boolean | string | undefined;

const audioOf = (want: Want): MediaTrackConstraints => ({
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
  ...(typeof want === 'string' ? { deviceId: { exact: want } } : {}),
});

const videoOf = (want: Want, facing?: string): MediaTrackConstraints => ({
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30, max: 30 },
  ...(typeof want === 'string' ? { deviceId: { exact: want } } : { facingMode: facing ?? 'user' }),
});

export class Devices {
  status: Record<DeviceKind, DeviceStatus> = { microphone: { state: 'off' }, camera: { state: 'off' } };
  selfView: MediaStream | undefined;
  private tracks: Record<DeviceKind, MediaStreamTrack | null> = { microphone: null, camera: null };
  private audio: { context: AudioContext; analyser: AnalyserNode; source: MediaStreamAudioSourceNode; buffer: Float32Array<ArrayBuffer> } | null = null;
  private quietSince = 0;
  private heardOnce = false;
  private timer: ReturnType<typeof setInterval> | null = null;
  private facing: 'user' | 'environment' = 'user';
  private disposed = false;
  private readonly onDeviceChange = () => void this.deviceChange();

  constructor(private readonly on: DeviceEvents) {
    globalThis.navigator?.mediaDevices?.addEventListener?.('devicechange', this.onDeviceChange);
  }

  track(kind: DeviceKind) {
    return this.tracks[kind];
  }

  /** One question of the browser for both; when it fails, each alone, to know which one is wrong. */
  async open(want: { microphone?: Want; camera?: Want }) {
    const media = globalThis.navigator?.mediaDevices;
    const kinds = (['microphone', 'camera'] as const).filter((k) => want[k]);
    if (!media?.getUserMedia) {
      for (const k of kinds) this.set(k, { state: 'problem', cause: 'forbidden' });
      return;
    }
    for (const k of kinds) this.set(k, { state: 'asking' });
    try {
      const stream = await media.getUserMedia({
        ...(want.microphone ? { audio: audioOf(want.microphone) } : {}),
        ...(want.camera ? { video: videoOf(want.camera, this.facing) } : {}),
      });
      this.adopt(stream, kinds);
    } catch (error) {
      if (kinds.length === 1 && kinds[0]) {
        this.set(kinds[0], { state: 'problem', cause: causeOf(error) });
        return;
      }
      for (const k of kinds) await this.open({ [k]: want[k] });
    }
  }

  private adopt(stream: MediaStream, kinds: readonly DeviceKind[]) {
    for (const kind of kinds) {
      const track = (kind === 'microphone' ? stream.getAudioTracks() : stream.getVideoTracks())[0];
      if (!track) {
        this.set(kind, { state: 'problem', cause: 'missing' });
        continue;
      }
      if (this.disposed) {
        track.stop();
        continue;
      }
      this.release(kind);
      this.tracks[kind] = track;
      track.onended = () => this.gone(kind, track);
      track.onmute = () => this.interrupted(kind, track);
      track.onunmute = () => this.tracks[kind] === track && this.showOn(kind, track);
      if (kind === 'camera') this.selfView = new MediaStream([track]);
      else this.listen(track);
      this.showOn(kind, track);
      this.on.track(kind, track);
    }
  }

  private showOn(kind: DeviceKind, track: MediaStreamTrack) {
    this.set(kind, { state: 'on', deviceId: track.getSettings().deviceId ?? '', label: track.label });
  }

  private interrupted(kind: DeviceKind, track: MediaStreamTrack) {
    if (this.tracks[kind] === track && track.readyState === 'live') this.set(kind, { state: 'problem', cause: 'interrupted' });
  }

  private gone(kind: DeviceKind, track: MediaStreamTrack) {
    if (this.tracks[kind] !== track) return;
    this.release(kind);
    this.on.track(kind, null);
    this.set(kind, { state: 'problem', cause: globalThis.document?.hidden ? 'interrupted' : 'unplugged' });
  }

  private async deviceChange() {
    for (const kind of ['microphone', 'camera'] as const) {
      const s = this.status[kind];
      // Another one was plugged in, or the lost one came back: take it without asking the person.
      if (s.state === 'problem' && (s.cause === 'missing' || s.cause === 'unplugged')) await this.open({ [kind]: true });
    }
    this.on.changed();
  }

  /** Frees the camera or the microphone: its light goes out. */
  close(kind: DeviceKind) {
    this.release(kind);
    this.on.track(kind, null);
    this.set(kind, { state: 'off' });
  }

  private release(kind: DeviceKind) {
    const track = this.tracks[kind];
    this.tracks[kind] = null;
    if (track) {
      track.onended = track.onmute = track.onunmute = null;
      track.stop();
    }
    if (kind === 'camera') this.selfView = undefined;
    else this.deafen();
  }

  async list() {
    const all = (await globalThis.navigator?.mediaDevices?.enumerateDevices?.()) ?? [];
    return { microphones: all.filter((d) => d.kind === 'audioinput'), cameras: all.filter((d) => d.kind === 'videoinput') };
  }

  /** Front to back on a phone, the next one elsewhere. */
  async nextCamera() {
    const { cameras } = await this.list();
    const now = this.status.camera.state === 'on' ? this.status.camera.deviceId : '';
    const facing = this.tracks.camera?.getSettings().facingMode;
    if (facing) {
      this.facing = facing === 'environment' ? 'user' : 'environment';
      this.release('camera'); // phones open one camera at a time
      await this.open({ camera: true });
      return;
    }
    const next = cameras[(cameras.findIndex((c) => c.deviceId === now) + 1) % Math.max(1, cameras.length)];
    if (next) await this.open({ camera: next.deviceId });
  }

  /** 0…1 now. */
  level(): number {
    if (!this.audio) return 0;
    this.audio.analyser.getFloatTimeDomainData(this.audio.buffer);
    return levelOf(this.audio.buffer);
  }

  /** From a tap: sound that the browser had put to sleep. */
  async wake() {
    if (this.audio?.context.state === 'suspended') await this.audio.context.resume();
    for (const kind of ['microphone', 'camera'] as const) {
      const s = this.status[kind];
      if (s.state === 'problem' && s.cause !== 'denied' && s.cause !== 'silent') await this.open({ [kind]: true });
    }
  }

  private listen(track: MediaStreamTrack) {
    if (typeof AudioContext === 'undefined') return;
    const context = new AudioContext();
    const source = context.createMediaStreamSource(new MediaStream([track]));
    const analyser = context.createAnalyser();
    analyser.fftSize = 1024;
    source.connect(analyser);
    this.audio = { context, analyser, source, buffer: new Float32Array(analyser.fftSize) };
    this.heardOnce = false;
    this.quietSince = performance.now();
    this.timer = setInterval(() => this.hark(), lookEvery);
  }

  /** Says once that a microphone has given nothing but zeros since it was opened. */
  private hark() {
    const track = this.tracks.microphone;
    if (!this.audio || !track || this.heardOnce) return;
    if (this.audio.context.state !== 'running' || !track.enabled || track.muted) {
      this.quietSince = performance.now();
      return;
    }
    this.audio.analyser.getFloatTimeDomainData(this.audio.buffer);
    if (this.audio.buffer.some((x) => x !== 0)) {
      this.heardOnce = true;
      if (this.status.microphone.state === 'problem' && this.status.microphone.cause === 'silent') this.showOn('microphone', track);
    } else if (performance.now() - this.quietSince > silentAfter && this.status.microphone.state === 'on') {
      this.set('microphone', { state: 'problem', cause: 'silent' });
    }
  }

  private deafen() {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
    this.audio?.source.disconnect();
    void this.audio?.context.close().catch(() => undefined);
    this.audio = null;
  }

  private set(kind: DeviceKind, status: DeviceStatus) {
    this.status = { ...this.status, [kind]: status };
    this.on.changed();
  }

  dispose() {
    this.disposed = true;
    globalThis.navigator?.mediaDevices?.removeEventListener?.('devicechange', this.onDeviceChange);
    this.release('microphone');
    this.release('camera');
  }
}
