import type { CallSnapshot, RemoteMedia, Seat } from '@rtc/api';

export type Person = { seat: Seat; media: RemoteMedia | undefined };

const knownRoles = ['doctor', 'dentist', 'midwife', 'professional', 'nurse', 'pharmacist', 'patient', 'representative', 'companion', 'interpreter', 'device'] as const;
export type RoleWord = (typeof knownRoles)[number] | 'participant';

/** Roles the page has no word for are shown as a participant (docs/signaling.md §5). */
export function roleWord(role: string): RoleWord {
  return knownRoles.find((r) => r === role) ?? 'participant';
}

/** A thing, not a person: an ultrasound, an encoder, a screen (docs/signaling.md §10). */
export const isDevice = (seat: Seat) => seat.role === 'device';

const receives = (seat: Seat) => !seat.mic && !seat.camera && !seat.screen;

/** Devices that send nothing and see and hear the call: who is in it must know. */
export function listenersOf(snapshot: CallSnapshot): Seat[] {
  return snapshot.seats.filter((s) => isDevice(s) && s.state === 'admitted' && s.online && receives(s));
}

/** The others in the room, the host first, then in order of arrival. */
export function othersOf(snapshot: CallSnapshot): Person[] {
  return snapshot.seats
    .filter((s) => s.seat !== snapshot.me?.seat && s.state === 'admitted' && s.online && !(isDevice(s) && receives(s)))
    .sort((a, b) => Number(b.host) - Number(a.host) || Date.parse(a.since) - Date.parse(b.since))
    .map((seat) => ({ seat, media: snapshot.remote.find((m) => m.seat === seat.seat) }));
}

/** Who came and who went between two pictures of the room. */
export function changesOf(before: readonly Person[], now: readonly Person[]): { came: Seat[]; went: Seat[] } {
  const has = (list: readonly Person[], id: string) => list.some((p) => p.seat.seat === id);
  return {
    came: now.filter((p) => !has(before, p.seat.seat)).map((p) => p.seat),
    went: before.filter((p) => !has(now, p.seat.seat)).map((p) => p.seat),
  };
}

/** Initials for a tile without a picture: at most two, from the name without its title. */
export function initials(name: string): string {
  const words = name.replace(/^(Dr|Dre|Pr|Pre|M\.|Mme)\s+/u, '').split(/[\s-]+/u).filter(Boolean);
  return words.slice(0, 2).map((w) => [...w][0]?.toLocaleUpperCase('fr') ?? '').join('');
}
