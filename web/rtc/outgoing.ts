// What we send: microphone, camera, screen; what the person wants on, and what really is.

import type { DeviceKind } from './api';
import type { Devices } from './devices';
import type { Source } from './wire';

export interface OutgoingEvents {
  put: (source: Source, track: MediaStreamTrack | null) => void;
  changed: () => void;
}

export class Outgoing {
  mic = true;
  camera = true;
  share: MediaStream | null = null;

  constructor(
    private readonly devices: Devices,
    private readonly on: OutgoingEvents,
  ) {}

  /** What the server and the others are told: wanted, and there. */
  sends() {
    return {
      mic: this.mic && this.devices.track('microphone') !== null,
      camera: this.camera && this.devices.track('camera') !== null,
      screen: this.share !== null,
    };
  }

  /** Into a new PeerConnection. */
  putAll() {
    this.on.put('voice', this.devices.track('microphone'));
    this.on.put('camera', this.devices.track('camera'));
    this.putShare();
  }

  trackChanged(kind: DeviceKind, track: MediaStreamTrack | null) {
    if (kind === 'microphone' && track) track.enabled = this.mic;
    this.on.put(kind === 'microphone' ? 'voice' : 'camera', track);
    this.on.changed();
  }

  setMic(on: boolean) {
    this.mic = on;
    const track = this.devices.track('microphone');
    if (track) track.enabled = on;
    else if (on) void this.devices.open({ microphone: true });
    this.on.changed();
  }

  /** Off frees the camera: its light goes out. */
  setCamera(on: boolean) {
    this.camera = on;
    if (!on) this.devices.close('camera');
    else if (!this.devices.track('camera')) void this.devices.open({ camera: true });
    this.on.changed();
  }

  async setScreen(on: boolean) {
    if (!on) return this.unshare();
    try {
      const stream = await navigator.mediaDevices.getDisplayMedia({ video: true, audio: true });
      this.unshare();
      this.share = stream;
      const picture = stream.getVideoTracks()[0];
      if (picture) {
        picture.contentHint = 'detail';
        picture.onended = () => this.share === stream && this.unshare();
      }
      this.putShare();
    } catch {
      // the person closed the browser's own question
    }
    this.on.changed();
  }

  unshare() {
    for (const t of this.share?.getTracks() ?? []) {
      t.onended = null;
      t.stop();
    }
    this.share = null;
    this.putShare();
    this.on.changed();
  }

  private putShare() {
    this.on.put('screen', this.share?.getVideoTracks()[0] ?? null);
    this.on.put('sound', this.share?.getAudioTracks()[0] ?? null);
  }
}
