import { describe, expect, it } from 'vitest';
import type { AgendaAppointment, AgendaPractitioner } from '@/api/deskTypes';
import { board, check, dayColumns, daytime, minuteOf, mondayOf, place, scale, standing, weekColumns } from './agenda';

const zone = 'Europe/Paris';
const at = (time: string, day = '2026-11-23') => `${day}T${time}:00Z`;
const appointment = (id: string, start: string, end: string, more: Partial<AgendaAppointment> = {}): AgendaAppointment => ({
  id,
  start,
  end,
  status: 'booked',
  patient: { id: `p-${id}`, displayName: id },
  consent: 'none',
  troubled: false,
  version: 1,
  ...more,
});
const doctor = (appointments: AgendaAppointment[], freeSlots: AgendaPractitioner['freeSlots'] = []): AgendaPractitioner => ({ id: 'd', displayName: 'Dr', appointments, freeSlots });

describe('columns', () => {
  const d = doctor(
    [appointment('b', at('08:30'), at('08:45')), appointment('gone', at('08:00'), at('08:15'), { status: 'cancelled' }), appointment('tomorrow', at('08:00', '2026-11-24'), at('08:15', '2026-11-24'))],
    [{ start: at('08:15'), end: at('08:30') }],
  );
  it('holds the day’s appointments and free times in order, without the cancelled', () => {
    const [column] = dayColumns([d], '2026-11-23', zone);
    expect(column?.cells.map((c) => [c.kind, c.start])).toEqual([
      ['free', at('08:15')],
      ['appointment', at('08:30')],
    ]);
  });
  it('keeps the five working days and leaves out an empty week-end', () => {
    expect(weekColumns(d, '2026-11-23', zone).map((c) => c.day)).toEqual(['2026-11-23', '2026-11-24', '2026-11-25', '2026-11-26', '2026-11-27']);
    const saturday = doctor([appointment('s', at('08:00', '2026-11-28'), at('08:15', '2026-11-28'))]);
    expect(weekColumns(saturday, '2026-11-23', zone).at(-1)?.day).toBe('2026-11-28');
  });
  it('begins the week on Monday, on Sundays too', () => {
    expect(mondayOf('2026-11-22')).toBe('2026-11-16');
    expect(mondayOf('2026-11-23')).toBe('2026-11-23');
  });
});

describe('daytime', () => {
  it('leaves out the free times of the night, never an appointment', () => {
    const night = doctor([appointment('n', at('02:00'), at('02:15'))], [
      { start: at('02:15'), end: at('02:30') },
      { start: at('06:00'), end: at('06:15') },
      { start: at('20:00'), end: at('20:15') },
    ]);
    const { columns, hidden } = daytime(dayColumns([night], '2026-11-23', zone), zone);
    expect(columns[0]?.cells.map((c) => c.start)).toEqual([at('02:00'), at('06:00')]);
    expect(hidden).toBe(2);
  });
});

describe('scale', () => {
  it('frames whole hours in the clinic’s zone and keeps the shortest time pressable', () => {
    const columns = dayColumns([doctor([appointment('a', at('08:30'), at('08:50'))], [{ start: at('10:40'), end: at('10:55') }])], '2026-11-23', zone);
    const s = scale(columns, zone);
    expect([s.from, s.to]).toEqual([9 * 60, 12 * 60]);
    const cells = columns[0]!.cells;
    expect(place(cells[0]!, s, zone)).toEqual({ top: 30 * s.rem, height: 20 * s.rem });
    expect(place(cells[1]!, s, zone).height).toBeCloseTo(2.25);
  });
  it('reads the hour of Paris in winter and in summer', () => {
    expect(minuteOf('2026-11-23T08:30:00Z', zone)).toBe(9 * 60 + 30);
    expect(minuteOf('2026-07-01T08:30:00Z', zone)).toBe(10 * 60 + 30);
  });
});

describe('standing', () => {
  const now = new Date(at('09:20'));
  it.each([
    ['expected', appointment('a', at('09:30'), at('09:45'))],
    ['late', appointment('a', at('09:15'), at('09:30'))],
    ['absent', appointment('a', at('09:00'), at('09:15'))],
    ['absent', appointment('a', at('09:00'), at('09:15'), { status: 'noshow' })],
    ['waiting', appointment('a', at('09:15'), at('09:30'), { status: 'arrived', waitingSince: at('09:10') })],
    ['in-call', appointment('a', at('09:15'), at('09:30'), { status: 'arrived' })],
    ['troubled', appointment('a', at('09:15'), at('09:30'), { status: 'arrived', troubled: true })],
    ['troubled', appointment('a', at('09:30'), at('09:45'), { troubled: true })],
    ['waiting', appointment('a', at('09:15'), at('09:30'), { status: 'arrived', waitingSince: at('09:10'), troubled: true })],
    ['kept-away', appointment('a', at('09:00'), at('09:15'), { status: 'noshow', troubled: true })],
    ['done', appointment('a', at('08:00'), at('08:15'), { status: 'fulfilled' })],
  ] as const)('%s', (is, a) => expect(standing(a, now).is).toBe(is));

  it('says when it is the practitioner who is behind', () => {
    const waits = (start: string) => standing(appointment('a', at(start), at('10:00'), { status: 'arrived', waitingSince: at('09:00') }), now);
    expect(waits('09:15')).toEqual({ is: 'waiting', minutes: 20, behind: false });
    expect(waits('09:05')).toEqual({ is: 'waiting', minutes: 20, behind: true });
  });
});

describe('board', () => {
  it('puts who has technical trouble first, then who waits before who is late, the longest first, today only', () => {
    const now = new Date(at('09:20'));
    const lines = board(
      [
        doctor([
          appointment('late', at('09:15'), at('09:30')),
          appointment('short', at('09:15'), at('09:30'), { status: 'arrived', waitingSince: at('09:18') }),
          appointment('long', at('09:30'), at('09:45'), { status: 'arrived', waitingSince: at('09:00') }),
          appointment('later', at('10:30'), at('10:45')),
          appointment('cut', at('11:30'), at('11:45'), { troubled: true }),
          appointment('other day', at('09:00', '2026-11-22'), at('09:30', '2026-11-22'), { status: 'arrived', waitingSince: at('09:00', '2026-11-22') }),
        ]),
      ],
      now,
      zone,
    );
    expect(lines.map((l) => l.appointment.id)).toEqual(['cut', 'long', 'short', 'late']);
  });
});

describe('check', () => {
  const whole = { familyName: 'N’Guessan', givenName: 'Jean', birthDate: '04/03/1952', phone: '06 12 34 56 78', email: '' };
  it('asks for one way to reach the patient, not two', () => {
    expect(check(whole, '1952-03-04')).toEqual({});
    expect(check({ ...whole, phone: '', email: 'j@example.fr' }, '1952-03-04')).toEqual({});
    expect(check({ ...whole, phone: '' }, '1952-03-04')).toEqual({ phone: 'phone' });
  });
  it('tells an absent date from an impossible one', () => {
    expect(check({ ...whole, birthDate: '' }, null).birthDate).toBe('required');
    expect(check({ ...whole, birthDate: '31/02/1952' }, null).birthDate).toBe('date');
  });
});
