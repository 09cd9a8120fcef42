/** The people of the journeys at the desk: their words, their way in, an appointment of their own. */
import { expect, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nextSms, smsOf, watchMedia } from './support';

export interface Links {
  professional: string;
  agenda: string;
  sms: string;
  patients: { patient: string; doctor: string; start: string; url: string }[];
}

export const links = (): Links => JSON.parse(readFileSync(process.env.LINKS ?? '../data/links.json', 'utf8'));

export type Language = 'fr' | 'en';
export type Words = (catalogue: string, key: string, params?: Record<string, string | number>) => string;

/** The texts of the product in one language, as the pages say them. */
export function wordsIn(language: Language): Words {
  return (catalogue, key, params = {}) => {
    const file = fileURLToPath(new URL(`../src/i18n/${language}/${catalogue}.json`, import.meta.url));
    const text = (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>)[key];
    if (text === undefined) throw new Error(`no text ${catalogue} ${key}`);
    return text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => String(params[name] ?? ''));
  };
}

/** The link in a word, whichever: on a machine that does ten other things pictures come slowly, and the page says so. */
export const anyQuality = (t: Words) => new RegExp(`^(${['good', 'weak', 'audio-only'].map((q) => t('call', `quality.${q}`)).join('|')})$`);

/** A window of the desk, in French until somebody asks for English. */
export async function atDesk(browser: Browser, state?: Awaited<ReturnType<BrowserContext['storageState']>>, options: object = {}): Promise<Page> {
  const context = await browser.newContext({
    locale: 'fr-FR',
    timezoneId: 'Europe/Paris',
    permissions: ['camera', 'microphone'],
    viewport: { width: 1440, height: 900 },
    ...(state ? { storageState: state } : {}),
    ...options,
  });
  await watchMedia(context);
  return context.newPage();
}

export async function signIn(page: Page, name: string) {
  await page.goto(links().professional);
  await page.getByText('Se connecter avec Pro Santé Connect').click();
  await page.getByRole('button', { name }).click();
  await page.waitForURL(/\/pro/);
}

export async function speak(page: Page, language: Language) {
  const other = page.getByRole('button', { name: language === 'fr' ? 'Français' : 'English', exact: true });
  await other.click();
  await expect(page.locator('html')).toHaveAttribute('lang', language);
}

/** The longest plausible names: three given names, a hyphenated double surname. */
export const longNames = { familyName: 'DE LA ROCHEFOUCAULD-MONTMORENCY', givenName: 'Marie-Christine Anne-Élisabeth Guillemette', birthDate: '1948-02-29' };

export interface Visit {
  encounterId: string;
  patientId: string;
  patient: string;
  /** The address the patient got by SMS. */
  join: string;
  /** The lists of the day have it; near midnight the first free time is tomorrow's. */
  today: boolean;
}

/** YYYY-MM-DD in Paris. */
export const dayInParis = (at: Date) => new Intl.DateTimeFormat('sv', { timeZone: 'Europe/Paris' }).format(at);

/** Why a journey over the lists of today cannot be made in the last hours before midnight. */
export const tooLate = 'near midnight in Paris: the first free time is tomorrow’s';

/** Books the doctor's first free time of today for somebody on the phone, and waits for their link. */
export async function bookVisit(secretary: Page, doctor: RegExp, phone: string, who: object = longNames): Promise<Visit> {
  const international = `+33${phone.slice(1)}`;
  const before = (await smsOf(links().sms, international)).length;
  const call = <T>(method: string, url: string, body?: object) =>
    secretary.evaluate(
      async ([m, u, b]) => {
        const headers: Record<string, string> = { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() };
        const answer = await fetch(`/api${u}`, { method: m as string, headers, ...(b ? { body: JSON.stringify(b) } : {}) });
        if (!answer.ok) throw new Error(`${u}: ${answer.status} ${await answer.text()}`);
        return answer.json();
      },
      [method, url, body] as const,
    ) as Promise<T>;
  const day = dayInParis(new Date());
  type Found = { zone: string; practitioners: { id: string; displayName: string; freeSlots: { start: string }[] }[] };
  const agenda = await call<Found>('GET', `/agenda?date=${day}&days=2`);
  const practitioner = agenda.practitioners.find((p) => doctor.test(p.displayName))!;
  const { price } = await call<{ price: { amountCents: number; reimbursedCents: number } }>('GET', `/practitioners/${practitioner.id}`);
  const shown = { amountCents: price.amountCents, reimbursedCents: price.reimbursedCents };
  let start = '';
  for (const free of practitioner.freeSlots.filter((s) => Date.parse(s.start) > Date.now()).slice(0, 5)) {
    const body = { practitionerId: practitioner.id, start: free.start, patient: { ...who, phone }, locale: 'fr', zone: agenda.zone, priceShown: shown };
    // Somebody else may have taken it in between.
    const booked = await call('POST', '/staff/appointments', body).catch((e: Error) => (/ 409 /.test(e.message) ? null : Promise.reject(e)));
    if (!booked) continue;
    start = free.start;
    break;
  }
  const join = (await nextSms(links().sms, international, before, /rdv#/)).match(/https?:\S+/)![0];
  type Booked = { practitioners: { id: string; appointments: { start: string; encounterId?: string; patient: { id: string; displayName: string } }[] }[] };
  let visit: Visit | undefined;
  await expect
    .poll(async () => {
      const now = await call<Booked>('GET', `/agenda?date=${day}&days=2`);
      const mine = now.practitioners.find((p) => p.id === practitioner.id)?.appointments.find((a) => a.start === start);
      if (mine?.encounterId) visit = { encounterId: mine.encounterId, patientId: mine.patient.id, patient: mine.patient.displayName, join, today: dayInParis(new Date(start)) === day };
      return visit?.encounterId ?? '';
    })
    .not.toBe('');
  return visit!;
}

/** Somebody who was invited opens the act: from their day, or, when it is tomorrow's, by its address. */
export async function openAct(page: Page, act: { encounterId: string; today: boolean }, patient: RegExp) {
  if (act.today) return page.getByRole('link', { name: patient }).first().click();
  await page.goto(`/pro/encounters/${act.encounterId}`);
  // A browser lets no page be heard before it is touched.
  await page.getByRole('heading', { level: 1 }).first().click();
}

/** The patient opens the link, agrees, tries the camera and waits. */
export async function waitInRoom(patient: Page, join: string) {
  await patient.goto(join);
  await patient.getByRole('button', { name: /^C’est moi/ }).click();
  await patient.getByRole('button', { name: 'Je suis d’accord' }).click();
  await patient.getByRole('button', { name: /Entrer/ }).click();
  await expect(patient.getByRole('heading', { name: 'Salle d’attente' })).toBeVisible();
}

export const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
