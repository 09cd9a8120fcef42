import type { CallSnapshot, Seat } from '@rtc/api';
import { describe, expect, it } from 'vitest';
import { atTheDoor, clock, sceneOf, toAdmit } from './stage';

const seat = (id: string, role: string, state: Seat['state'], more: Partial<Seat> = {}): Seat => ({
  seat: id,
  name: id,
  role,
  host: role === 'doctor',
  state,
  online: true,
  since: '2026-11-22T09:00:00Z',
  mic: true,
  camera: true,
  screen: false,
  link: 'up',
  ...more,
});
const me = { seat: 'd', role: 'doctor', name: 'd', host: true, state: 'admitted' as const };
const snapshot = (more: Partial<CallSnapshot>): CallSnapshot => ({
  state: 'live',
  quality: 'good',
  pictureStopped: false,
  facingAway: false,
  socket: 'open',
  me,
  seats: [seat('d', 'doctor', 'admitted')],
  chat: [],
  chatPending: [],
  remote: [],
  speaking: [],
  stills: [],
  link: 'up',
  mic: true,
  camera: true,
  screen: false,
  devices: { microphone: { state: 'off' }, camera: { state: 'off' } },
  ...more,
});

describe('the door', () => {
  const seats = [seat('n', 'nurse', 'waiting', { since: '2026-11-22T08:50:00Z' }), seat('p', 'patient', 'waiting'), seat('c', 'companion', 'waiting'), seat('x', 'patient', 'left')];
  it('« Recevoir » lets in the patient only, a companion by name', () => expect(toAdmit(seats).map((s) => s.seat)).toEqual(['p']));
  it('names everybody who waits, the patient’s side first', () => expect(atTheDoor(seats).map((s) => s.seat)).toEqual(['p', 'c', 'n']));
});

describe('sceneOf', () => {
  const doctor = seat('d', 'doctor', 'admitted');
  it.each([
    ['opening', null],
    ['opening', snapshot({ state: 'preparing' })],
    ['offline', snapshot({ state: 'preparing', socket: 'reconnecting' })],
    ['alone', snapshot({ state: 'blocked', cause: 'consent_missing' })],
    ['door', snapshot({ state: 'blocked', seats: [doctor, seat('p', 'patient', 'waiting')] })],
    ['blocked', snapshot({ state: 'blocked', seats: [doctor, seat('p', 'patient', 'admitted')] })],
    ['call', snapshot({ seats: [doctor, seat('p', 'patient', 'admitted')] })],
    ['repairing', snapshot({ state: 'reconnecting', cause: 'media', seats: [doctor, seat('p', 'patient', 'admitted')] })],
    ['gone', snapshot({ seats: [doctor, seat('p', 'patient', 'left')] })],
    ['alone', snapshot({ seats: [doctor, seat('n', 'nurse', 'left')] })],
    ['displaced', snapshot({ state: 'elsewhere', cause: 'taken' })],
    ['lost', snapshot({ state: 'lost', seats: [doctor, seat('p', 'patient', 'admitted')] })],
    ['alone', snapshot({ state: 'lost' })],
    ['waiting', snapshot({ state: 'waiting' })],
  ] as const)('%s', (scene, s) => expect(sceneOf(s)).toBe(scene));
});

describe('clock', () => {
  const now = new Date('2026-11-22T10:02:09Z');
  it('says minutes, then hours', () => {
    expect(clock('2026-11-22T09:58:02Z', now)).toBe('4:07');
    expect(clock('2026-11-22T09:00:00Z', now)).toBe('1:02:09');
    expect(clock(undefined, now)).toBe('');
  });
});
