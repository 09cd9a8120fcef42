// One frozen picture of everything a page shows, drawn from what the engine's parts know.

import type { CallSnapshot } from './api';
import type { Devices } from './devices';
import type { Extras } from './extras';
import type { Link } from './link';
import type { Outgoing } from './outgoing';
import { stateOf, type Phase } from './state';
import type { Talk } from './talk';
import type { MediaGate } from './wire';

export interface Parts {
  /** What the server said and the page is shown as it is. */
  part: Partial<CallSnapshot>;
  phase: Phase;
  gate: MediaGate | undefined;
  link: Link;
  talk: Talk;
  outgoing: Outgoing;
  devices: Devices;
  /** null: no camera that knew more than pictures. */
  extras: Extras | null;
  /** The device says that it has no network. */
  offline: boolean;
}

export function draw({ part: p, phase, gate, link, talk, outgoing, devices, extras, offline }: Parts): CallSnapshot {
  const { state, cause } = stateOf({
    phase,
    ...(p.me ? { seat: p.me.state } : {}),
    held: p.seats?.some((s) => s.seat === p.me?.seat && s.held) === true,
    ...(gate ? { gate } : {}),
    media: link.media,
    cutFor: link.since ? Date.now() - link.since : 0,
    signalling: p.socket === 'reconnecting',
    offline,
    quality: link.word,
  });
  return Object.freeze({
    ...p,
    state,
    ...(cause ? { cause } : {}),
    socket: p.socket ?? 'closed',
    seats: p.seats ?? [],
    chat: talk.chat,
    chatPending: talk.pending,
    speaking: p.speaking ?? [],
    stills: p.stills ?? [],
    remote: link.remote(),
    link: link.exists ? ({ none: 'connecting', up: 'up', unstable: 'up', cut: 'lost' } as const)[link.media] : 'none',
    quality: link.word,
    pictureStopped: link.pictureStopped,
    ...outgoing.sends(),
    devices: devices.status,
    facingAway: devices.facing === 'environment',
    ...(extras?.torch === undefined ? {} : { torch: extras.torch }),
    ...(extras?.blur === undefined ? {} : { blur: extras.blur }),
    ...(devices.selfView ? { selfView: devices.selfView } : {}),
    ...(outgoing.share ? { screenView: outgoing.share } : {}),
    ...(link.since ? { lostSince: new Date(link.since).toISOString() } : {}),
  });
}
