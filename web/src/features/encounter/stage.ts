/** What the professional's video pane shows, from the engine's snapshot. Pure. */
import type { CallSnapshot, Seat } from '@rtc/api';
import { othersOf } from '@/features/call/people';

const theirs = new Set(['patient', 'representative']);
const patientSide = new Set([...theirs, 'companion']);

/** The patient, or who stands for them, waiting; a colleague or a companion is let in by name. */
export function toAdmit(seats: readonly Seat[]): Seat[] {
  return seats.filter((s) => s.state === 'waiting' && theirs.has(s.role));
}

/** Everybody who waits at the door, the patient first. */
export function atTheDoor(seats: readonly Seat[]): Seat[] {
  return seats
    .filter((s) => s.state === 'waiting')
    .sort((a, b) => Number(patientSide.has(b.role)) - Number(patientSide.has(a.role)) || a.since.localeCompare(b.since));
}

export type Scene =
  | 'opening'
  | 'offline'
  | 'busy'
  | 'displaced'
  | 'refused'
  | 'over'
  | 'blocked'
  | 'door'
  | 'alone'
  /** the patient was here and left */
  | 'gone'
  | 'waiting'
  | 'joining'
  | 'call'
  | 'repairing'
  | 'lost';

function hasLeft(seats: readonly Seat[]): boolean {
  return seats.some((s) => theirs.has(s.role) && (s.state === 'left' || s.state === 'lapsed'));
}

/** One scene at a time, the most pressing one. */
export function sceneOf(s: CallSnapshot | null): Scene {
  if (!s || s.state === 'idle' || s.state === 'preparing') return s?.socket === 'reconnecting' ? 'offline' : 'opening';
  if (s.state === 'elsewhere') return s.cause === 'taken' ? 'displaced' : 'busy';
  if (s.state === 'refused') return 'refused';
  if (s.state === 'ended') return 'over';
  if (s.state === 'waiting') return 'waiting';
  const others = othersOf(s).length > 0;
  if (s.state === 'blocked' && others) return 'blocked';
  if (!others) return atTheDoor(s.seats).length > 0 ? 'door' : hasLeft(s.seats) ? 'gone' : 'alone';
  if (s.state === 'joining' || s.state === 'lost') return s.state;
  if (s.state === 'reconnecting' && s.cause !== 'signalling') return 'repairing';
  return 'call';
}

/** Scenes in which CallView draws the pane. */
export function live(scene: Scene): boolean {
  return scene === 'joining' || scene === 'call' || scene === 'repairing' || scene === 'lost';
}

/** « 4:07 », « 1:02:09 » since the call began. */
export function clock(from: string | undefined, now: Date): string {
  if (!from) return '';
  const total = Math.max(0, Math.floor((now.getTime() - Date.parse(from)) / 1000));
  const two = (n: number) => String(n).padStart(2, '0');
  const hours = Math.floor(total / 3600);
  const rest = `${hours > 0 ? two(Math.floor((total % 3600) / 60)) : Math.floor(total / 60)}:${two(total % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}
