/** The schedule as columns of time. Pure; `now` is given. */
import type { AgendaAppointment, AgendaPractitioner } from '@/api/deskTypes';
import { lateBy, minutesSince } from '@/features/desk/day';
import { addDays, dayOf } from '@/i18n/time';

export type Cell =
  | { kind: 'appointment'; start: string; end: string; practitionerId: string; appointment: AgendaAppointment }
  | { kind: 'free'; start: string; end: string; practitionerId: string };

export type Column = { key: string; day: string; practitioner: AgendaPractitioner; cells: Cell[] };

function cellsOf(p: AgendaPractitioner, day: string, zone: string): Cell[] {
  const here = (c: { start: string }) => dayOf(c.start, zone) === day;
  const booked = p.appointments
    .filter((a) => here(a) && a.status !== 'cancelled')
    .map((appointment): Cell => ({ kind: 'appointment', start: appointment.start, end: appointment.end, practitionerId: p.id, appointment }));
  const free = p.freeSlots.filter(here).map((s): Cell => ({ kind: 'free', ...s, practitionerId: p.id }));
  return [...booked, ...free].sort((a, b) => a.start.localeCompare(b.start));
}

/** One column per practitioner, for a day. */
export function dayColumns(practitioners: readonly AgendaPractitioner[], day: string, zone: string): Column[] {
  return practitioners.map((practitioner) => ({ key: practitioner.id, day, practitioner, cells: cellsOf(practitioner, day, zone) }));
}

/** One column per day of the week that begins on `monday`; an empty Saturday or Sunday is left out. */
export function weekColumns(practitioner: AgendaPractitioner, monday: string, zone: string): Column[] {
  return Array.from({ length: 7 }, (_, i) => addDays(monday, i))
    .map((day): Column => ({ key: day, day, practitioner, cells: cellsOf(practitioner, day, zone) }))
    .filter((c, i) => i < 5 || c.cells.length > 0);
}

/** Minutes since midnight between which free times are shown unless the night is asked for. */
const dayFrom = 7 * 60;
const dayTo = 21 * 60;

/** The columns without the free times of the night; appointments are always there. */
export function daytime(columns: readonly Column[], zone: string): { columns: Column[]; hidden: number } {
  let hidden = 0;
  const seen = columns.map((c) => ({
    ...c,
    cells: c.cells.filter((cell) => {
      const minute = minuteOf(cell.start, zone);
      const night = cell.kind === 'free' && (minute < dayFrom || minute >= dayTo);
      if (night) hidden++;
      return !night;
    }),
  }));
  return { columns: seen, hidden };
}

/** Monday of the week of a YYYY-MM-DD. */
export function mondayOf(day: string): string {
  const weekday = (new Date(`${day}T12:00:00Z`).getUTCDay() + 6) % 7;
  return addDays(day, -weekday);
}

/** Minutes since midnight in a zone. */
export function minuteOf(at: string, zone: string): number {
  const [h, m] = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(at)).split(':');
  return Number(h) * 60 + Number(m);
}

const length = (c: Cell) => Math.max(5, (Date.parse(c.end) - Date.parse(c.start)) / 60_000);

export type Scale = { from: number; to: number; rem: number };

/** Whole hours that hold every cell, and the height of a minute such that the shortest one can be pressed (2.25 rem). */
export function scale(columns: readonly Column[], zone: string): Scale {
  const cells = columns.flatMap((c) => c.cells);
  if (cells.length === 0) return { from: 9 * 60, to: 18 * 60, rem: 0.1 };
  const starts = cells.map((c) => minuteOf(c.start, zone));
  const ends = cells.map((c) => minuteOf(c.start, zone) + length(c));
  const shortest = Math.min(...cells.map(length));
  return { from: Math.floor(Math.min(...starts) / 60) * 60, to: Math.ceil(Math.max(...ends) / 60) * 60, rem: Math.max(0.08, 2.25 / shortest) };
}

/** Place of a cell in its column, in rem. */
export function place(cell: Cell, s: Scale, zone: string): { top: number; height: number } {
  return { top: (minuteOf(cell.start, zone) - s.from) * s.rem, height: length(cell) * s.rem };
}

export type Standing =
  | { is: 'expected' }
  | { is: 'late'; minutes: number }
  /** waits for the practitioner; behind = the planned time is long past */
  | { is: 'waiting'; minutes: number; behind: boolean }
  | { is: 'in-call' }
  /** a failed connection test, or a call that is cut: somebody telephones */
  | { is: 'troubled' }
  | { is: 'done' }
  | { is: 'cancelled' }
  | { is: 'absent' }
  /** did not come, and could not: not counted as an absence */
  | { is: 'kept-away' };

/** Minutes after the planned time from which the practitioner is running late. */
const behindAfter = 15;

export function standing(a: AgendaAppointment, now: Date): Standing {
  if (a.status === 'cancelled') return { is: 'cancelled' };
  if (a.status === 'noshow') return { is: a.troubled ? 'kept-away' : 'absent' };
  if (a.status === 'fulfilled') return { is: 'done' };
  if (a.status === 'arrived') {
    if (!a.waitingSince) return { is: a.troubled ? 'troubled' : 'in-call' };
    return { is: 'waiting', minutes: minutesSince(a.waitingSince, now), behind: minutesSince(a.start, now) >= behindAfter };
  }
  if (Date.parse(a.end) < now.getTime()) return { is: a.troubled ? 'kept-away' : 'absent' };
  if (a.troubled) return { is: 'troubled' };
  const minutes = lateBy(a.start, now);
  return minutes === null ? { is: 'expected' } : { is: 'late', minutes };
}

export type BoardLine = { practitioner: AgendaPractitioner; appointment: AgendaAppointment; standing: Standing };

/** Those who need somebody now: who has technical trouble, who waits, longest first, then who has not come. */
export function board(practitioners: readonly AgendaPractitioner[], now: Date, zone: string): BoardLine[] {
  const today = dayOf(now, zone);
  const weight = (s: Standing) => (s.is === 'troubled' ? 100_000 : s.is === 'waiting' ? 10_000 + s.minutes : s.is === 'late' ? s.minutes : -1);
  return practitioners
    .flatMap((practitioner) => practitioner.appointments.map((appointment) => ({ practitioner, appointment, standing: standing(appointment, now) })))
    .filter((l) => dayOf(l.appointment.start, zone) === today && weight(l.standing) >= 0)
    .sort((a, b) => weight(b.standing) - weight(a.standing));
}

export type NewPatient = { familyName: string; givenName: string; birthDate: string; phone: string; email: string };
export type Missing = Partial<Record<keyof NewPatient | 'contact', 'required' | 'date' | 'phone' | 'email'>>;

/** What is missing before the server is asked; the five fields of a booking on the phone. */
export function check(p: NewPatient, birthDay: string | null): Missing {
  const missing: Missing = {};
  if (p.familyName.trim() === '') missing.familyName = 'required';
  if (p.givenName.trim() === '') missing.givenName = 'required';
  if (birthDay === null) missing.birthDate = p.birthDate.trim() === '' ? 'required' : 'date';
  if (p.phone.trim() === '' && p.email.trim() === '') missing.phone = 'phone';
  return missing;
}
