// A photo at the sensor's own resolution, while the call's video goes on (product.md row 17). Loaded when a photo is
// asked for and not before.

import { stripped, type StripCause } from './strip';

/** A photo ready to be sent: its bytes are those that were hashed. */
export interface Shot {
  blob: Blob;
  /** SHA-256: base64 as Content-Digest has it (RFC 9530). */
  digest: string;
}

/** Why there is no photo. */
export type ShotCause = 'camera' | StripCause;

interface PhotoCapabilities {
  imageWidth?: { max: number };
  imageHeight?: { max: number };
}

interface Capture {
  getPhotoCapabilities(): Promise<PhotoCapabilities>;
  takePhoto(settings?: { imageWidth?: number; imageHeight?: number }): Promise<Blob>;
}

/** Milliseconds a camera may take for its photo; after that a frame of the video at its largest is taken. */
const patience = 15_000;
/** Milliseconds until the largest frame has come. */
const settling = 3000;
/** Of the JPEG made of a frame. */
const quality = 0.95;

/** Takes the photo; throws 'camera' when the camera gives none. */
export async function takePhoto(track: MediaStreamTrack): Promise<Blob> {
  try {
    return (await photo(track)) ?? (await frame(track));
  } catch {
    throw new ShotError('camera');
  }
}

export class ShotError extends Error {
  constructor(readonly why: ShotCause) {
    super(why);
  }
}

/** What the camera itself takes as a photo; undefined where a browser cannot ask it. */
async function photo(track: MediaStreamTrack): Promise<Blob | undefined> {
  const Kind = (globalThis as { ImageCapture?: new (t: MediaStreamTrack) => Capture }).ImageCapture;
  if (!Kind) return undefined;
  try {
    const camera = new Kind(track);
    const { imageWidth, imageHeight } = await within(camera.getPhotoCapabilities(), patience);
    const size = imageWidth?.max && imageHeight?.max ? { imageWidth: imageWidth.max, imageHeight: imageHeight.max } : {};
    const taken = await within(camera.takePhoto(size), patience);
    return taken.size > 0 ? taken : undefined;
  } catch {
    return undefined; // a camera that has no photo of its own still has frames
  }
}

/** One frame of the video at the camera's largest size; the size of the call is put back. */
async function frame(track: MediaStreamTrack): Promise<Blob> {
  const before = track.getConstraints();
  const { width, height } = track.getCapabilities?.() ?? {};
  const now = track.getSettings();
  const larger = (width?.max ?? 0) > (now.width ?? 0) || (height?.max ?? 0) > (now.height ?? 0);
  if (larger) await track.applyConstraints({ ...before, width: { ideal: width?.max ?? 0 }, height: { ideal: height?.max ?? 0 } }).catch(() => undefined);
  const video = document.createElement('video');
  try {
    video.muted = video.playsInline = true;
    video.srcObject = new MediaStream([track]);
    await within(video.play(), patience);
    await grown(video, track);
    const canvas = document.createElement('canvas');
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext('2d')?.drawImage(video, 0, 0);
    const made = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', quality));
    if (!made) throw new ShotError('camera');
    return made;
  } finally {
    video.srcObject = null;
    if (larger) await track.applyConstraints(before).catch(() => undefined);
  }
}

/** Waits for a frame as large as the camera says it gives now. */
async function grown(video: HTMLVideoElement, track: MediaStreamTrack) {
  const until = Date.now() + settling;
  const wanted = () => Math.min(track.getSettings().width ?? 0, track.getSettings().height ?? 0);
  while ((video.videoWidth === 0 || Math.min(video.videoWidth, video.videoHeight) < wanted()) && Date.now() < until) await new Promise((r) => setTimeout(r, 50));
  if (video.videoWidth === 0) throw new ShotError('camera');
}

/** Takes everything out that is not the picture, then hashes what is left. */
export async function prepare(photo: Blob): Promise<Shot> {
  const { bytes, type } = stripped(new Uint8Array(await photo.arrayBuffer()));
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return { blob: new Blob([bytes], { type }), digest: btoa(String.fromCharCode(...sum)) };
}

function within<T>(work: Promise<T>, ms: number): Promise<T> {
  return Promise.race([work, new Promise<never>((_, no) => setTimeout(() => no(new ShotError('camera')), ms))]);
}
