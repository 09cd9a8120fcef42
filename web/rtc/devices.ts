// Microphone and camera: opened together, explained when they fail, watched while they live, taken again when they were cut.

import type { DeviceCause, DeviceKind, DeviceNote, DeviceStatus } from './api';
import { Hearing } from './hearing';

/** What went wrong, from what getUserMedia threw. */
export function causeOf(error: unknown): DeviceCause {
  const { name, message } = (error ?? {}) as { name?: string; message?: string };
  switch (name) {
    case 'NotAllowedError':
      if (/dismissed/i.test(message ?? '')) return 'dismissed';
      return /by system/i.test(message ?? '') ? 'system' : 'denied';
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

export interface DeviceEvents {
  changed: () => void;
  /** A track to send instead of the last one of its kind; null: none any more. */
  track: (kind: DeviceKind, track: MediaStreamTrack | null) => void;
  /** A device was lost, found or changed: for the page and the quality report. */
  note?: (n: DeviceNote) => void;
}

type Want = boolean | string | undefined;

const audioOf = (want: Want): MediaTrackConstraints => ({
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
  ...(typeof want === 'string' ? { deviceId: { exact: want } } : {}),
});

const videoOf = (want: Want, facing: string): MediaTrackConstraints => ({
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30, max: 30 },
  ...(typeof want === 'string' ? { deviceId: { exact: want } } : { facingMode: facing }),
});

const kindsOf = { microphone: 'audioinput', camera: 'videoinput' } as const;
/** Lost through no wish of the person: worth trying again without asking. */
const curable: readonly DeviceCause[] = ['missing', 'unplugged', 'interrupted', 'busy', 'failed'];

export class Devices {
  status: Record<DeviceKind, DeviceStatus> = { microphone: { state: 'off' }, camera: { state: 'off' } };
  selfView: MediaStream | undefined;
  facing: 'user' | 'environment' = 'user';
  private tracks: Record<DeviceKind, MediaStreamTrack | null> = { microphone: null, camera: null };
  private hearing: Hearing | null = null;
  private known = new Set<string>();
  private disposed = false;
  private readonly watched: PermissionStatus[] = [];
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
      void this.remember();
    } catch (error) {
      const [only] = kinds;
      if (kinds.length === 1 && only) {
        this.release(only);
        this.on.track(only, null);
        this.set(only, { state: 'problem', cause: causeOf(error) });
        void this.watchPermission(only);
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
      track.onended = () => void this.gone(kind, track);
      track.onmute = () => this.interrupted(kind, track);
      track.onunmute = () => this.tracks[kind] === track && this.showOn(kind, track);
      if (kind === 'camera') this.selfView = new MediaStream([track]);
      else if (typeof AudioContext !== 'undefined') this.hearing = new Hearing(track, (silent) => this.silence(track, silent));
      this.showOn(kind, track);
      this.on.track(kind, track);
    }
  }

  private showOn(kind: DeviceKind, track: MediaStreamTrack) {
    this.set(kind, { state: 'on', deviceId: track.getSettings().deviceId ?? '', label: track.label });
  }

  private silence(track: MediaStreamTrack, silent: boolean) {
    if (this.tracks.microphone !== track) return;
    if (!silent) return this.showOn('microphone', track);
    if (this.status.microphone.state !== 'on') return;
    this.set('microphone', { state: 'problem', cause: 'silent' });
    this.on.note?.({ kind: 'microphone', what: 'silent' });
  }

  private interrupted(kind: DeviceKind, track: MediaStreamTrack) {
    if (this.tracks[kind] === track && track.readyState === 'live') this.problem(kind, 'interrupted');
  }

  /** The track ended by itself: pulled out, taken by another application, cut by the system, or no longer permitted. */
  private async gone(kind: DeviceKind, track: MediaStreamTrack) {
    if (this.tracks[kind] !== track) return;
    const id = track.getSettings().deviceId ?? '';
    this.release(kind);
    this.on.track(kind, null);
    if (globalThis.document?.hidden) return this.problem(kind, 'interrupted');
    // Said at once; the reason may be known a moment later.
    this.problem(kind, 'unplugged');
    if ((await permission(kind))?.state === 'denied') {
      this.set(kind, { state: 'problem', cause: 'denied' });
      this.on.note?.({ kind, what: 'denied' });
      return void this.watchPermission(kind);
    }
    const list = await this.ofKind(kind);
    if (this.disposed || this.status[kind].state !== 'problem') return;
    if (id !== '' && list.some((d) => d.deviceId === id)) return this.set(kind, { state: 'problem', cause: 'busy' });
    if (list.length > 0) await this.again(kind, 'switched');
  }

  private problem(kind: DeviceKind, cause: DeviceCause) {
    this.set(kind, { state: 'problem', cause });
    this.on.note?.({ kind, what: cause === 'interrupted' ? 'interrupted' : 'lost' });
  }

  /** Opens a device that was lost; says by which it was replaced. */
  private async again(kind: DeviceKind, what: 'switched' | 'back') {
    const before = this.status[kind];
    await this.open({ [kind]: true });
    const now = this.status[kind];
    if (now.state === 'on') this.on.note?.({ kind, what, label: now.label });
    else if (before.state === 'problem') this.set(kind, before);
  }

  private async deviceChange() {
    const before = this.known;
    await this.remember();
    for (const kind of ['microphone', 'camera'] as const) {
      const s = this.status[kind];
      // Another one was plugged in, or the lost one came back: take it without asking the person.
      if (s.state === 'problem' && (s.cause === 'missing' || s.cause === 'unplugged')) await this.again(kind, 'back');
      else if (s.state === 'on' && kind === 'microphone') {
        // What works is kept; the new one is offered by its name.
        const fresh = (await this.ofKind(kind)).find((d) => !before.has(key(d)) && !['', 'default', 'communications', s.deviceId].includes(d.deviceId));
        if (fresh && before.size > 0) this.on.note?.({ kind, what: 'offered', label: fresh.label, deviceId: fresh.deviceId });
      }
    }
    this.on.changed();
  }

  private async remember() {
    const all = (await globalThis.navigator?.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
    this.known = new Set(all.map(key));
  }

  /** A permission given in the browser's own menu is used at once. */
  private async watchPermission(kind: DeviceKind) {
    const status = await permission(kind);
    if (!status || this.disposed || this.watched.some((w) => w.name === status.name)) return;
    this.watched.push(status);
    status.onchange = () => {
      const s = this.status[kind];
      if (status.state === 'granted' && s.state === 'problem') void this.open({ [kind]: true });
    };
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
    else {
      this.hearing?.close();
      this.hearing = null;
    }
  }

  private async ofKind(kind: DeviceKind) {
    const { microphones, cameras } = await this.list();
    return kind === 'microphone' ? microphones : cameras;
  }

  async list() {
    const all = (await globalThis.navigator?.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
    return { microphones: all.filter((d) => d.kind === kindsOf.microphone), cameras: all.filter((d) => d.kind === kindsOf.camera) };
  }

  /** Front to back on a phone, the next one elsewhere. One that does not open gives the first back. */
  async nextCamera() {
    const { cameras } = await this.list();
    const now = this.status.camera.state === 'on' ? this.status.camera.deviceId : '';
    if (this.tracks.camera?.getSettings().facingMode) {
      const before = this.facing;
      this.facing = before === 'environment' ? 'user' : 'environment';
      this.release('camera'); // phones open one camera at a time
      await this.open({ camera: true });
      if (this.tracks.camera) return;
      this.facing = before;
      return this.open({ camera: true });
    }
    const next = cameras[(cameras.findIndex((c) => c.deviceId === now) + 1) % Math.max(1, cameras.length)];
    if (next) await this.open({ camera: next.deviceId });
    if (!this.tracks.camera && now) await this.open({ camera: now });
  }

  /** 0…1 now. */
  level(): number {
    return this.hearing?.level() ?? 0;
  }

  /** What was cut and may be had again: after a tap, and by itself when the page comes back into view. */
  async wake() {
    await this.hearing?.wake();
    for (const kind of ['microphone', 'camera'] as const) {
      const s = this.status[kind];
      if (s.state === 'problem' && curable.includes(s.cause)) await this.again(kind, 'back');
    }
  }

  private set(kind: DeviceKind, status: DeviceStatus) {
    this.status = { ...this.status, [kind]: status };
    this.on.changed();
  }

  dispose() {
    this.disposed = true;
    globalThis.navigator?.mediaDevices?.removeEventListener?.('devicechange', this.onDeviceChange);
    for (const w of this.watched) w.onchange = null;
    this.release('microphone');
    this.release('camera');
  }
}

const key = (d: MediaDeviceInfo) => `${d.kind} ${d.deviceId} ${d.label}`;

/** The browser's own word on a permission; undefined where it has none (Firefox before 131, Safari before 16). */
async function permission(kind: DeviceKind): Promise<PermissionStatus | undefined> {
  return globalThis.navigator?.permissions?.query({ name: kind as PermissionName }).catch(() => undefined);
}
