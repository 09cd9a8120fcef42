import type { CallSnapshot, DeviceCause, Seat } from '@rtc/api';
import { describe, expect, it } from 'vitest';
import { nearestCorner, nextCorner, type Corner } from './corner';
import { changesOf, initials, othersOf, roleWord } from './people';
import { noticeOf } from './notice';

const seat = (id: string, more: Partial<Seat> = {}): Seat => ({
  seat: id,
  name: id,
  role: 'patient',
  host: false,
  state: 'admitted',
  online: true,
  since: '2026-11-22T09:00:00Z',
  mic: true,
  camera: true,
  screen: false,
  link: 'up',
  ...more,
});

const snapshot = (more: Partial<CallSnapshot> = {}): CallSnapshot => ({
  state: 'live',
  quality: 'good',
  pictureStopped: false,
  facingAway: false,
  socket: 'open',
  me: { seat: 'me', role: 'patient', name: 'Zoé', host: false, state: 'admitted' },
  seats: [seat('me'), seat('other')],
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

const problem = (cause: DeviceCause): CallSnapshot['devices']['camera'] => ({ state: 'problem', cause });

describe('the one sentence over the picture', () => {
  it.each([
    ['all is well', {}, null],
    ['the phone cut the camera', { devices: { microphone: { state: 'off' }, camera: problem('interrupted') } }, 'interrupted'],
    ['it cut the camera and the link is cut too: what a tap can mend first', { state: 'reconnecting', cause: 'media', devices: { microphone: { state: 'off' }, camera: problem('interrupted') } }, 'interrupted'],
    ['consent missing', { state: 'blocked', cause: 'consent_missing' }, 'blocked.consent_missing'],
    ['closed for a reason that has no words', { state: 'blocked', cause: 'ended' }, 'blocked.other'],
    ['held: the stage says it', { state: 'held' }, null],
    ['joining', { state: 'joining' }, 'joining'],
    ['joining, at the desk', { state: 'joining', me: { seat: 'me', role: 'doctor', name: 'D', host: true, state: 'admitted' } }, 'joiningPro'],
    ['media away', { state: 'reconnecting', cause: 'media' }, 'repairing'],
    ['no network', { state: 'reconnecting', cause: 'offline' }, 'offline'],
    ['signalling away', { state: 'reconnecting', cause: 'signalling' }, 'reconnecting'],
    ['away for a minute', { state: 'lost', cause: 'media' }, 'lost'],
    ['away for a minute, at the desk', { state: 'lost', cause: 'media', me: { seat: 'me', role: 'doctor', name: 'D', host: true, state: 'admitted' } }, 'lostPro'],
    ['nothing for two seconds', { state: 'weak', cause: 'unstable' }, 'unstable'],
    ['our own picture stopped', { state: 'weak', cause: 'audio-only', pictureStopped: true }, 'ownStopped'],
    ['their picture stopped: the tile says it', { state: 'weak', cause: 'audio-only' }, null],
    ['weak: the word says it', { state: 'weak', cause: 'weak' }, null],
    ['no camera', { devices: { microphone: { state: 'off' }, camera: problem('busy') } }, 'devices'],
    ['a headset was pulled out', { deviceNote: { kind: 'microphone', what: 'switched', label: 'Micro intégré' } }, 'switched.microphone'],
    ['a headset was plugged in', { deviceNote: { kind: 'microphone', what: 'offered', label: 'Casque', deviceId: 'c' } }, 'offered'],
    ['another camera took its place', { deviceNote: { kind: 'camera', what: 'switched', label: 'USB' } }, 'switched.camera'],
    ['muted', { mic: false }, 'mic.muted'],
  ] as [string, Partial<CallSnapshot>, string | null][])('%s', (_name, more, expected) => {
    expect(noticeOf(snapshot(more))?.says ?? null).toBe(expected);
  });

  it('offers one thing to do, and only where a tap helps', () => {
    const does = (more: Partial<CallSnapshot>) => noticeOf(snapshot(more))?.does;
    expect(does({ state: 'lost' })).toBe('reload');
    expect(does({ devices: { microphone: problem('interrupted'), camera: { state: 'off' } } })).toBe('resume');
    expect(does({ devices: { microphone: problem('busy'), camera: { state: 'off' } } })).toBe('retry');
    expect(does({ devices: { microphone: problem('silent'), camera: { state: 'off' } } })).toBeUndefined();
    expect(does({ deviceNote: { kind: 'microphone', what: 'offered', label: 'Casque', deviceId: 'c' } })).toBe('use');
    expect(does({ state: 'blocked', cause: 'consent_missing' })).toBe('consent');
    expect(does({ state: 'blocked', cause: 'unavailable' })).toBeUndefined();
    expect(does({ state: 'reconnecting', cause: 'media' })).toBeUndefined();
  });
});

describe('people', () => {
  it('shows the others who are in, the host first, then by arrival', () => {
    const s = snapshot({
      seats: [
        seat('me'),
        seat('nurse', { since: '2026-11-22T08:00:00Z' }),
        seat('doctor', { host: true, since: '2026-11-22T09:30:00Z' }),
        seat('waiting', { state: 'waiting' }),
        seat('asleep', { online: false }),
      ],
    });
    expect(othersOf(s).map((p) => p.seat.seat)).toEqual(['doctor', 'nurse']);
  });

  it('says who came and who went', () => {
    const before = othersOf(snapshot({ seats: [seat('a'), seat('b')] }));
    const now = othersOf(snapshot({ seats: [seat('b'), seat('c')] }));
    const { came, went } = changesOf(before, now);
    expect(came.map((s) => s.seat)).toEqual(['c']);
    expect(went.map((s) => s.seat)).toEqual(['a']);
  });

  it.each([
    ['Dre Anne-Sophie Lefèvre', 'AS'],
    ['Élodie', 'É'],
    ['Dr Karim Benali', 'KB'],
    ['M. D’Aubigné', 'D'],
  ])('initials of %s', (name, expected) => expect(initials(name)).toBe(expected));

  it('shows an unknown role as a participant', () => {
    expect(roleWord('nurse')).toBe('nurse');
    expect(roleWord('wizard')).toBe('participant');
  });
});

describe('corners', () => {
  it('goes round all four and back', () => {
    const seen: Corner[] = ['top-right'];
    for (let i = 0; i < 4; i++) seen.push(nextCorner(seen.at(-1) as Corner));
    expect(new Set(seen).size).toBe(4);
    expect(seen.at(-1)).toBe('top-right');
  });

  it('snaps to the nearest', () => {
    expect(nearestCorner(10, 10, 360, 600)).toBe('top-left');
    expect(nearestCorner(350, 590, 360, 600)).toBe('bottom-right');
  });
});
