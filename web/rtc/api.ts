// What a page uses of the media engine. No framework, no text for people: every state and cause is a
// word that the page translates (catalogue keys `call.state.*`, `call.cause.*`, `call.device.*`).

import type { QualityWord } from './quality';
import type { CallCause, CallState } from './state';
import type { ChatMessage, LinkState, Queue, RemoveReason, Seat, SeatState, StillRequest } from './wire';

/** Signalling's own life, apart from the call's state. */
export type SocketState = 'closed' | 'connecting' | 'open' | 'reconnecting';

export type DeviceKind = 'microphone' | 'camera';

/** What is wrong with a device, in one word the page explains for this browser. */
export type DeviceCause =
  /** the person or the browser said no */ | 'denied'
  /** the person closed the browser's question without an answer */ | 'dismissed'
  /** the system does not let this browser use it */ | 'system'
  /** the page may not ask (no https, iframe policy) */ | 'forbidden'
  /** nothing plugged in */ | 'missing'
  /** another application holds it */ | 'busy'
  /** it went away while in use */ | 'unplugged'
  /** the microphone gives nothing but digital silence: for 5 s since it was opened, or for 15 s once it was heard */ | 'silent'
  /** the system cut it (phone call, lid) */ | 'interrupted'
  /** anything else; see the console */ | 'failed';

export type DeviceStatus =
  | { state: 'off' }
  | { state: 'asking' }
  | { state: 'on'; deviceId: string; label: string }
  | { state: 'problem'; cause: DeviceCause };

/** What happened to a device without the person asking, for one sentence on the page. */
export interface DeviceNote {
  kind: DeviceKind;
  what:
    /** it is away */ | 'lost'
    /** the person, or the browser, took the permission back */ | 'denied'
    /** the system cut it */ | 'interrupted'
    /** it gives nothing */ | 'silent'
    /** lost, and `label` took its place */ | 'switched'
    /** there again */ | 'back'
    /** `label` was plugged in; what works is kept until openDevices() asks for `deviceId` */ | 'offered';
  label?: string;
  deviceId?: string;
}

/** A remote person's picture and sound as they can be put in <video> and <audio>. */
export interface RemoteMedia {
  seat: string;
  /** Same objects for as long as the source lasts. */
  voice?: MediaStream;
  camera?: MediaStream;
  screen?: MediaStream;
  sound?: MediaStream;
  /** The camera's picture stands still, or is held back because our link is too weak for it. */
  still?: boolean;
}

/** One frozen picture of everything a page shows. A new object at each change (React: useSyncExternalStore). */
/** A message written here that the server does not have. */
export interface PendingMessage {
  id: string;
  text: string;
  /** A seat: written to it alone. */
  to?: string;
  /** Why the server did not keep it; absent while it is on its way. `chat_too_fast` has the seconds to wait. */
  refused?: { code: string; seconds?: number };
}

export interface CallSnapshot {
  readonly state: CallState;
  readonly cause?: CallCause;
  readonly socket: SocketState;
  readonly me?: { seat: string; role: string; name: string; host: boolean; state: SeatState; identity?: string };
  /** ISO 8601: until when the place is kept if we go away. */
  readonly keptUntil?: string;
  /** ISO 8601: when the first person was admitted. */
  readonly startedAt?: string;
  readonly seats: readonly Seat[];
  readonly queue?: Queue;
  readonly chat: readonly ChatMessage[];
  /** Chat messages written here and not yet taken by the server, or refused by it. */
  readonly chatPending: readonly PendingMessage[];
  readonly remote: readonly RemoteMedia[];
  readonly speaking: readonly string[];
  /** Photos asked for: of us, or as a host of anybody. */
  readonly stills: readonly StillRequest[];
  readonly link: LinkState;
  /** The link in one word; `good` until two bad seconds were seen. */
  readonly quality: QualityWord;
  /** Our own picture is stopped so that the voice passes; it comes back by itself. */
  readonly pictureStopped: boolean;
  /** The last thing that happened to a device; until `forgetNote()`. */
  readonly deviceNote?: DeviceNote;
  /** The camera's lamp, and its blurred background; absent: this camera cannot. */
  readonly torch?: boolean;
  readonly blur?: boolean;
  /** The camera shows what is before the phone, not the person: it is not to be mirrored. */
  readonly facingAway: boolean;
  /** What we send: true = on. */
  readonly mic: boolean;
  readonly camera: boolean;
  readonly screen: boolean;
  readonly devices: { readonly microphone: DeviceStatus; readonly camera: DeviceStatus };
  /** Own picture, for the self-view. */
  readonly selfView?: MediaStream;
  readonly screenView?: MediaStream;
  /** ISO 8601: when media was last heard, in `reconnecting` and `lost`. */
  readonly lostSince?: string;
  /** ISO 8601: when sound and picture stop because the server does (`notice`); absent when they do not, or there is another place for them. */
  readonly stopsAt?: string;
}

export interface CallOptions {
  encounter: string;
  /** POSTs for a ticket. Default: fetch to /api/encounters/{id}/admission with the page's cookie. */
  admit?: (encounter: string, signal: AbortSignal) => Promise<{ ticket: string; url: string }>;
  /** Receive sections of each kind. Default 6. */
  slots?: number;
  /** Forces relay (tests, connection check). */
  icePolicy?: 'all' | 'relay';
}

/** For tests and the quality report: sums over all sources of this client. */
export interface MediaFacts {
  framesDecoded: number;
  framesSent: number;
  audioEnergyReceived: number;
  audioEnergySent: number;
  packetsLost: number;
  /** `udp`, `tcp` and whether the local side is a relay. */
  path?: { protocol: string; relayed: boolean };
}

/** The engine. Methods never throw for what can go wrong in life; watch the snapshot. */
export interface Call {
  snapshot(): CallSnapshot;
  /** Calls back after each change; returns the way to stop. */
  subscribe(listener: () => void): () => void;

  /** Opens microphone and camera (either may be left out). Can be called before start(), for the self-view. */
  openDevices(want?: { microphone?: boolean | string; camera?: boolean | string }): Promise<void>;
  /** Lists what can be chosen (labels only once permission is given). */
  listDevices(): Promise<{ microphones: MediaDeviceInfo[]; cameras: MediaDeviceInfo[] }>;
  /** Next camera of the device (front/back on a phone). No renegotiation. */
  switchCamera(): Promise<void>;
  /** 0…1, our microphone now; for a level meter, ask at each animation frame. */
  micLevel(): number;

  /** Takes the seat. */
  start(): void;
  /** In `elsewhere`. */
  takeOver(): void;
  setMic(on: boolean): void;
  setCamera(on: boolean): void;
  /** Asks the browser for a screen; off stops it. Sound too where the browser gives it. */
  setScreen(on: boolean): Promise<void>;
  /** Sends, as a host to one seat alone with `to`; the message is in chatPending until the server has it. Empty or over 2 000 characters: false. */
  say(text: string, to?: string): boolean;
  /** Sends a refused message again. */
  sayAgain(id: string): void;
  /** Forgets a refused message. */
  forgetMessage(id: string): void;
  setTorch(on: boolean): Promise<void>;
  setBlur(on: boolean): Promise<void>;
  forgetNote(): void;
  admit(seat: string): void;
  remove(seat: string, reason: RemoveReason): void;
  /** Host only: the seats that neither hear nor see, nor are heard or seen, from now on; none lets everybody go. */
  hold(seats: readonly string[]): void;
  /** Host only: a photo at the sensor's resolution; see `stills`. */
  askStill(seat: string): void;
  /** Who was asked does not want to, or cannot. */
  answerStill(id: string, state: 'refused' | 'failed'): void;
  /** How high a picture is shown, in device pixels; 0: not at all; null: nothing is known. */
  shows(seat: string, source: 'camera' | 'screen', height: number | null): void;
  leave(): void;
  /** Waiting only: an SMS when it is nearly our turn; see `queue.recall`. The page may then be closed without leave(). */
  askRecall(): void;
  /** Host only. */
  end(): void;
  /** After an interruption on iOS, from a tap: re-opens devices and resumes sound. */
  resumeMedia(): Promise<void>;
  facts(): Promise<MediaFacts>;
  /** Stops everything, releases devices. The seat keeps its place. */
  dispose(): void;
}

export type { QualityWord } from './quality';
export type { CallCause, CallState } from './state';
export type { ChatMessage, LinkState, Queue, Seat, SeatState, Source, StillRequest } from './wire';
