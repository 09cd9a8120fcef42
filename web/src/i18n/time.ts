/**
 * Times, dates and money as people say them: « dans 12 minutes »,
 * « mardi 4 à 14 h 30 », « 9 € ». Pure functions; `now` is always given.
 */
import type { Language } from './i18n';

/** The zone in which clinics of this platform keep their agenda. */
export const clinicZone = 'Europe/Paris';

export function visitorZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || clinicZone;
}

const locale = (language: Language) => (language === 'fr' ? 'fr-FR' : 'en-GB');

type Parts = { year: string; month: string; day: string; hour: number; minute: string };

function parts(at: Date, zone: string): Parts {
  const found = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(at);
  const get = (type: string) => found.find((p) => p.type === type)?.value ?? '';
  return { year: get('year'), month: get('month'), day: get('day'), hour: Number(get('hour')), minute: get('minute') };
}

/** Calendar day YYYY-MM-DD of an instant in a zone. */
export function dayOf(at: Date | string, zone: string): string {
  const p = parts(new Date(at), zone);
  return `${p.year}-${p.month}-${p.day}`;
}

/** The day `n` days after a YYYY-MM-DD. */
export function addDays(day: string, n: number): string {
  const at = new Date(`${day}T12:00:00Z`);
  at.setUTCDate(at.getUTCDate() + n);
  return at.toISOString().slice(0, 10);
}

/** Whole days from one YYYY-MM-DD to another. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T12:00:00Z`) - Date.parse(`${from}T12:00:00Z`)) / 86_400_000);
}

/** « 14 h 30 », « 9 h » ; “2:30 pm”, “9 am”. */
export function sayTime(at: Date | string, zone: string, language: Language): string {
  const { hour, minute } = parts(new Date(at), zone);
  if (language === 'fr') return minute === '00' ? `${hour}\u00a0h` : `${hour}\u00a0h\u00a0${minute}`;
  const half = hour < 12 ? 'am' : 'pm';
  const twelve = hour % 12 === 0 ? 12 : hour % 12;
  return minute === '00' ? `${twelve}\u00a0${half}` : `${twelve}:${minute}\u00a0${half}`;
}

/** « aujourd'hui », « demain », « mardi 4 » within six days, then « mardi 4 août », with the year when it is another one. */
export function sayDay(day: string, today: string, language: Language): string {
  const away = daysBetween(today, day);
  if (away === 0) return language === 'fr' ? 'aujourd’hui' : 'today';
  if (away === 1) return language === 'fr' ? 'demain' : 'tomorrow';
  if (away === -1) return language === 'fr' ? 'hier' : 'yesterday';
  const near = away > 1 && away < 7;
  const sameYear = day.slice(0, 4) === today.slice(0, 4);
  return formatDay(day, language, { weekday: 'long', day: 'numeric', ...(near ? {} : { month: 'long' }), ...(sameYear ? {} : { year: 'numeric' }) });
}

/** « mardi 4 août 2026 », for what is kept or printed. */
export function sayFullDay(day: string, language: Language): string {
  return formatDay(day, language, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
}

/** « 4 mars 1952 », for a birth date. */
export function sayBirthDate(day: string, language: Language): string {
  return formatDay(day, language, { day: 'numeric', month: 'long', year: 'numeric' });
}

function formatDay(day: string, language: Language, options: Intl.DateTimeFormatOptions): string {
  const said = new Intl.DateTimeFormat(locale(language), { ...options, timeZone: 'UTC' }).format(new Date(`${day}T12:00:00Z`)).replace(',', '');
  // French writes the first of the month « 1er ».
  return language === 'fr' ? said.replace(/(^|\s)1(?=\s|$)/, '$11er') : said;
}

/** « mardi 4 à 14 h 30 », « aujourd'hui à 9 h ». */
export function sayDateTime(at: Date | string, now: Date, zone: string, language: Language): string {
  const day = sayDay(dayOf(at, zone), dayOf(now, zone), language);
  return `${day}${language === 'fr' ? ' à ' : ' at '}${sayTime(at, zone, language)}`;
}

/** « dans 12 minutes », « dans 3 heures »; null when more than a day away or already past. */
export function sayUntil(at: Date | string, now: Date, language: Language): string | null {
  const minutes = Math.round((new Date(at).getTime() - now.getTime()) / 60_000);
  if (minutes < 1 || minutes > 24 * 60) return null;
  const relative = new Intl.RelativeTimeFormat(locale(language), { numeric: 'always' });
  return minutes < 90 ? relative.format(minutes, 'minute') : relative.format(Math.round(minutes / 60), 'hour');
}

/** « heure de Paris », « heure de La Réunion »: the zone's own name, when the platform knows one. */
export function sayZone(zone: string, at: Date, language: Language): string {
  const name = new Intl.DateTimeFormat(locale(language), { timeZone: zone, timeZoneName: 'longGeneric' })
    .formatToParts(at)
    .find((p) => p.type === 'timeZoneName')?.value;
  return name ?? zone;
}

/** True when clocks of the two zones show the same time at that instant. */
export function sameClock(a: string, b: string, at: Date): boolean {
  const x = parts(at, a);
  const y = parts(at, b);
  return x.hour === y.hour && x.minute === y.minute && x.day === y.day;
}

/** « 30 € », « 9,50 € »: cents only when there are some. */
export function sayMoney(cents: number, language: Language): string {
  return new Intl.NumberFormat(locale(language), {
    style: 'currency',
    currency: 'EUR',
    minimumFractionDigits: cents % 100 === 0 ? 0 : 2,
  }).format(cents / 100);
}

/** « 3 min 20 s », for the length of a call. */
export function sayDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(whole / 60);
  const rest = whole % 60;
  if (minutes === 0) return `${rest}\u00a0s`;
  return rest === 0 ? `${minutes}\u00a0min` : `${minutes}\u00a0min ${rest}\u00a0s`;
}
