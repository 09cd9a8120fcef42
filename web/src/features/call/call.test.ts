import type { CallSnapshot, MediaFacts, Seat } from '@rtc/api';
import { describe, expect, it } from 'vitest';
import { nearestCorner, nextCorner, type Corner } from './corner';
import { changesOf, initials, othersOf, roleWord } from './people';
import { qualityOf } from './quality';

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
  state: 'inCall',
  socket: 'open',
  me: { seat: 'me', role: 'patient', name: 'Zoé', host: false, state: 'admitted' },
  seats: [seat('me'), seat('other')],
  chat: [],
  chatPending: [],
  remote: [],
  speaking: [],
  link: 'up',
  mic: true,
  camera: true,
  screen: false,
  devices: { microphone: { state: 'off' }, camera: { state: 'off' } },
  ...more,
});

const facts = (framesDecoded: number, packetsLost = 0): MediaFacts => ({
  framesDecoded,
  framesSent: 0,
  audioEnergyReceived: 0,
  audioEnergySent: 0,
  packetsLost,
});

describe('qualityOf', () => {
  it.each([
    ['25 frames a second', snapshot(), facts(0), facts(100), 'good'],
    ['5 frames a second', snapshot(), facts(0), facts(20), 'weak'],
    ['no frame while a picture is expected', snapshot(), facts(50), facts(50), 'sound'],
    ['no frame because the other camera is off', snapshot({ seats: [seat('me'), seat('other', { camera: false })] }), facts(50), facts(50), 'good'],
    ['many packets lost', snapshot(), facts(0, 0), facts(100, 200), 'weak'],
    ['a cut', snapshot({ state: 'repairing' }), facts(0), facts(100), 'none'],
    ['nothing known yet', snapshot(), null, facts(100), 'good'],
  ] as const)('%s', (_name, s, before, now, expected) => {
    expect(qualityOf(s, before, now, 4)).toBe(expected);
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
