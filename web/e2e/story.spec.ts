/**
 * One act of care, whole (issue 2, acceptance 1): a patient books on a phone,
 * agrees, meets the doctor and a nurse by video, and reads the documents.
 * It runs against the demo clinic: VISAVIS_URL and LINKS say where.
 */
import { expect, test, type Browser, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { flows, newestSms, shot, watchMedia } from './support';

interface Links {
  home: string;
  professional: string;
  mail: string;
  sms: string;
}

const links: Links = JSON.parse(readFileSync(process.env.LINKS ?? '../data/links.json', 'utf8'));

const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
const laptop = { viewport: { width: 1440, height: 900 } };

async function open(browser: Browser, o: object): Promise<Page> {
  const context = await browser.newContext({ locale: 'fr-FR', timezoneId: 'Europe/Paris', permissions: ['camera', 'microphone'], ...o });
  await watchMedia(context);
  return context.newPage();
}

async function signIn(page: Page, name: string) {
  await page.goto(links.professional);
  await page.getByText('Se connecter avec Pro Santé Connect').click();
  await page.getByRole('button', { name }).click();
  await page.waitForURL(/\/pro/);
}

/** Waits until a page decodes pictures and hears sound of so many others. */
async function meets(page: Page, others: number) {
  await expect.poll(async () => (await flows(page)).streams, { timeout: 30_000 }).toBeGreaterThanOrEqual(others);
  const before = await flows(page);
  await expect.poll(async () => (await flows(page)).frames, { timeout: 15_000 }).toBeGreaterThan(before.frames + 10);
  await expect.poll(async () => (await flows(page)).energy, { timeout: 15_000 }).toBeGreaterThan(0);
}

test('a consultation from booking to the documents', async ({ browser }) => {
  test.setTimeout(300_000);
  const patient = await open(browser, phone);
  const doctor = await open(browser, laptop);
  const nurse = await open(browser, laptop);
  let join = '';

  await test.step('the patient finds a doctor and books in five fields (B10, B19)', async () => {
    await patient.goto('/');
    const found = patient.getByRole('link', { name: /Claire MARTIN/ }).first();
    await found.waitFor();
    await shot(patient, '01-find');
    await found.click();
    const slot = patient.getByRole('main').getByRole('button', { name: /à \d+ h|\d+ h \d\d|\d\d:\d\d/ }).first();
    await slot.waitFor();
    await shot(patient, '02-slots');
    await slot.click();
    await patient.getByLabel('Nom de naissance').fill('PAT-TROIS');
    await patient.getByLabel('Premier prénom').fill('Dominique');
    await patient.getByLabel('Date de naissance').fill('28/03/1979');
    await patient.getByLabel('Téléphone mobile').fill('06 11 00 00 01');
    await patient.getByLabel('Adresse e-mail').fill('dominique.pat-trois@courriel.test');
    await shot(patient, '03-book');
    await patient.getByRole('button', { name: /^Réserver/ }).click();
    await expect(patient.getByRole('heading', { name: 'C’est réservé' })).toBeVisible();
    await shot(patient, '04-booked');
  });

  await test.step('the link arrives by SMS, without a health word (B11)', async () => {
    const text = await newestSms(links.sms, '+33611000001', /rdv#/);
    expect(text).not.toMatch(/médecin|santé|consult|généraliste/i);
    join = text.match(/https?:\S+/)![0];
    expect(join).toMatch(/\/rdv#[\w-]{43}$/);
  });

  await test.step('the patient reads the text and agrees (A6, A7)', async () => {
    await patient.goto('about:blank');
    await patient.goto(join);
    await patient.getByRole('button', { name: /^C’est moi/ }).waitFor();
    expect(patient.url()).not.toContain('#');
    await shot(patient, '05-card');
    await patient.getByRole('button', { name: /^C’est moi/ }).click();
    await patient.getByRole('button', { name: 'Je suis d’accord' }).waitFor();
    await shot(patient, '06-consent');
    await patient.getByRole('button', { name: 'Je suis d’accord' }).click();
  });

  await test.step('camera and microphone, then the waiting room (A9, B12)', async () => {
    const enter = patient.getByRole('button', { name: /Entrer/ });
    await enter.waitFor();
    await shot(patient, '07-devices');
    await enter.click();
    await expect(patient.getByRole('heading', { name: 'Salle d’attente' })).toBeVisible();
    await shot(patient, '08-waiting');
  });

  await test.step('the place is kept after a refresh', async () => {
    await patient.reload();
    await expect(patient.getByText(/Salle d’attente|Reprendre ma place|C’est moi/).first()).toBeVisible();
    await shot(patient, '09-after-refresh');
  });

  await test.step('the doctor signs in, sees who waits, and admits in one click (A8)', async () => {
    await signIn(doctor, 'Claire MARTIN');
    const receive = doctor.getByRole('link', { name: /Recevoir .*PAT-TROIS/i }).or(doctor.getByRole('button', { name: /Recevoir .*PAT-TROIS/i })).first();
    await receive.waitFor();
    await shot(doctor, '10-day');
    await receive.click();
    const admit = doctor.getByRole('button', { name: /Faire entrer/ });
    const picture = doctor.getByText(/Identité confirmée|Est-ce bien/).first();
    await admit.or(picture).first().waitFor();
    if (await admit.isVisible()) await admit.click();
  });

  await test.step('both see and hear each other through the SFU (B12)', async () => {
    await meets(doctor, 1);
    await meets(patient, 1);
    await doctor.getByRole('button', { name: /Visage et nom/ }).click();
    await shot(doctor, '11-call-doctor');
    await shot(patient, '12-call-patient');
  });
});
