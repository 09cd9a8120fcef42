// The messages of docs/signaling.md (`visavis.v1`), as types. Nothing here acts.

import type { QualityReport } from './report';

/** Where a seat stands (docs/signaling.md §5). */
export type SeatState = 'waiting' | 'admitted' | 'left' | 'lapsed' | 'removed' | 'ended';

/** Media of a seat as the server sees it. */
export type LinkState = 'none' | 'connecting' | 'up' | 'lost';

export type Source = 'voice' | 'camera' | 'screen' | 'sound';

/** Why media may not flow. `unavailable`: the server cannot ask the consent record right now. */
export type MediaReason =
  | 'not_admitted'
  | 'consent_missing'
  | 'consent_refused'
  | 'consent_withdrawn'
  | 'ended'
  | 'unavailable';

export interface MediaGate {
  allowed: boolean;
  reason?: MediaReason;
}

export interface Seat {
  seat: string;
  name: string;
  role: string;
  host: boolean;
  state: SeatState;
  online: boolean;
  /** ISO 8601: when the person arrived. */
  since: string;
  /** Shown to hosts and to the seat itself only. */
  identity?: string;
  /** Waits in another sign-in than the one that was admitted. */
  again?: boolean;
  mic: boolean;
  camera: boolean;
  screen: boolean;
  link: LinkState;
  /** The host speaks without this seat for a moment. */
  held?: boolean;
}

export interface Wait {
  fromMinutes: number;
  toMinutes: number;
  basis: 'measured' | 'planned';
}

export interface Queue {
  position: number;
  of: number;
  /** Absent when nothing honest can be said. */
  wait?: Wait;
  hostOnline: boolean;
  planned?: string;
  /** The professional is late for this patient, for sure: by so many minutes. */
  lateMinutes?: number;
  /** Absent when no SMS reaches the patient. */
  recall?: { phoneEnd: string; asked: boolean; sentAt?: string };
}

export interface ChatMessage {
  id: string;
  from: string;
  name: string;
  role: string;
  /** ISO 8601. */
  at: string;
  text: string;
  /** The seat it was written to alone, and who sits there. */
  to?: string;
  toName?: string;
}

export interface Slot {
  mid: string;
  seat: string;
  kind: 'audio' | 'video';
  source: Source;
  /** Our link is too weak for even its smallest layer. */
  paused?: boolean;
}

export interface IceGrant {
  servers: { urls: string[]; username?: string; credential?: string }[];
  expiresAt: string;
  policy: 'all' | 'relay';
}

export type EndReason = 'host' | 'removed' | 'cancelled' | 'expired';

export type RemoveReason = 'wrong_person' | 'disturbance' | 'other';

/** A photo that a host asks a seat for (docs/signaling.md §5, `still`). */
export interface StillRequest {
  id: string;
  /** Who is asked. */
  seat: string;
  /** Who asks, and their name. */
  by: string;
  name: string;
  state: 'asked' | 'refused' | 'failed' | 'kept';
  /** The photo, once kept. */
  still?: string;
  /** ISO 8601. */
  at: string;
}

interface Framed {
  seq?: number;
  ack?: number;
}

export type ServerMessage = Framed &
  (
    | {
        t: 'welcome';
        session: string;
        resumeFor: number;
        seat: string;
        encounter: string;
        role: string;
        name: string;
        host: boolean;
        state: SeatState;
        identity?: string;
        keptUntil: string;
        media: MediaGate;
        ice: IceGrant;
        /** The PeerConnection of `hello.kept` goes on. */
        kept?: number;
        now: string;
      }
    | { t: 'rejoin'; pc: number; reason: string; ice: IceGrant }
    | { t: 'busy'; since: string }
    | { t: 'resumed' }
    | { t: 'room'; started?: string; seats: Seat[] }
    | ({ t: 'queue' } & Queue)
    | { t: 'admitted'; by: string }
    | ({ t: 'media' } & MediaGate)
    | { t: 'answer'; pc: number; re: number; sdp: string }
    | { t: 'slots'; pc: number; slots: Slot[] }
    | { t: 'speaking'; seats: string[] }
    | ({ t: 'chat' } & ChatMessage)
    | { t: 'history'; messages: ChatMessage[] }
    | { t: 'stills'; requests: StillRequest[] }
    | ({ t: 'ice' } & IceGrant)
    | { t: 'notice'; code: 'stopping'; inSeconds: number }
    | { t: 'ended'; reason: EndReason; at: string }
    | { t: 'error'; code: string; re?: number; field?: string; reason?: string; seconds?: number; id?: string }
    | { t: 'ack' }
    | { t: 'pong'; at: string }
  );

/** A PeerConnection that the client still has, and the session in which it was offered. */
export interface Kept {
  session: string;
  pc: number;
}

/** What a client says, without its numbers. */
export type ClientBody =
  | { t: 'hello'; ticket: string; tab: string; client: string; features: string[]; kept?: Kept }
  | { t: 'resume'; session: string; last: number }
  | { t: 'takeover' }
  | { t: 'offer'; pc: number; sdp: string }
  | { t: 'candidate'; pc: number; candidate: string; mid?: string }
  | { t: 'mute'; mic: boolean; camera: boolean; screen: boolean }
  | { t: 'chat'; id: string; text: string; to?: string }
  | { t: 'admit'; seat: string }
  | { t: 'remove'; seat: string; reason: RemoveReason }
  | { t: 'hold'; seats: string[] }
  | { t: 'still'; seat: string }
  | { t: 'still_answer'; id: string; state: 'refused' | 'failed' }
  | { t: 'view'; pc: number; slots: { mid: string; height: number }[] }
  | { t: 'turn' }
  | QualityReport
  | { t: 'recall' }
  | { t: 'leave' }
  | { t: 'end' }
  | { t: 'ack' }
  | { t: 'ping' };

export type ClientMessage = Framed & ClientBody;

/** Close codes of docs/signaling.md §7 that decide what the client does next. */
export const Close = {
  left: 1000,
  goingAway: 1001,
  policy: 1008,
  tooBig: 1009,
  internal: 1011,
  ticket: 4001,
  noHello: 4002,
  resumeExpired: 4003,
  flood: 4008,
  takenOver: 4009,
  ended: 4010,
  removed: 4011,
} as const;
