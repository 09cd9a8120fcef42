/**
 * A photo asked for in the call (product.md row 17, M5, journey 4.3 step 5): the doctor asks, the phone takes it, sends
 * it as a file, and what the doctor saves is byte for byte what the phone hashed. Another is refused.
 */
import { expect as look, test, type Page } from '@playwright/test';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expectGood } from './look';
import { atDesk, bookVisit, links, phone, signIn, waitInRoom } from './people';
import { flows, nextSms, shot, smsOf, watchMedia } from './support';

// The machine may do ten other things.
const expect = look.configure({ timeout: 30_000 });

test.describe.configure({ mode: 'serial', timeout: 180_000 });

let patient: Page;
let doctor: Page;
let encounter: string;

/** What the phone does, and a network that takes one request away. */
interface Watched {
  /** Every SHA-256 that the page computed. */
  hashes: string[];
  /** The key of every sending. */
  keys: string[];
  /** The next sending is lost. */
  cut: boolean;
}

test.beforeAll(async ({ browser }) => {
  const secretary = await atDesk(browser);
  await signIn(secretary, 'Sophie LEROY');
  const visit = await bookVisit(secretary, /MARTIN/, '0639980178');
  await secretary.context().close();
  encounter = visit.encounterId;
  const context = await browser.newContext({ locale: 'fr-FR', timezoneId: 'Europe/Paris', permissions: ['camera', 'microphone'], ...phone });
  await watchMedia(context);
  await context.addInitScript(() => {
    const w = window as unknown as Watched;
    Object.assign(w, { hashes: [], keys: [], cut: false });
    const said = XMLHttpRequest.prototype.setRequestHeader;
    XMLHttpRequest.prototype.setRequestHeader = function (name, value) {
      if (name === 'Idempotency-Key') w.keys.push(value);
      said.call(this, name, value);
    };
    const send = XMLHttpRequest.prototype.send;
    XMLHttpRequest.prototype.send = function (body) {
      if (!w.cut) return send.call(this, body);
      w.cut = false;
      setTimeout(() => ['error', 'loadend'].forEach((e) => this.dispatchEvent(new ProgressEvent(e))), 100);
    };
    const digest = crypto.subtle.digest.bind(crypto.subtle);
    crypto.subtle.digest = async (a, data) => {
      const sum = await digest(a, data);
      w.hashes.push([...new Uint8Array(sum)].map((b) => b.toString(16).padStart(2, '0')).join(''));
      return sum;
    };
  });
  patient = await context.newPage();
  await waitInRoom(patient, visit.join);
  doctor = await atDesk(browser);
  await signIn(doctor, 'Claire MARTIN');
  await doctor.goto(`/pro/encounters/${encounter}`);
  await doctor.getByRole('button', { name: /Faire entrer|Recevoir/ }).first().click();
  await expect.poll(async () => (await flows(doctor)).frames, { timeout: 40_000 }).toBeGreaterThan(3);
});

test.afterAll(async () => {
  await patient?.context().close();
  await doctor?.context().close();
});

const sheet = () => patient.getByRole('dialog', { name: /vous demande une photo/ });
const ask = () => doctor.getByRole('button', { name: 'Demander une photo' });

test('asked in one click, taken in one tap, sent in one more; what the doctor saves has the hash that the phone computed', async () => {
  await ask().click();
  await expect(doctor.getByText(/^Photo demandée à /).first()).toBeVisible();
  await expect(sheet()).toBeVisible({ timeout: 30_000 });
  await expect(sheet().getByLabel('Ce que voit votre caméra')).toBeVisible();
  await expectGood(patient);
  await shot(patient, 'still-asked-phone');
  await shot(doctor, 'still-asked-doctor');

  // The request is told again to a page that was loaded again.
  await doctor.reload();
  await expect(doctor.getByText(/^Photo demandée à /).first()).toBeVisible({ timeout: 30_000 });

  await sheet().getByRole('button', { name: 'Prendre la photo' }).click();
  await expect(sheet().getByRole('img', { name: 'La photo que vous venez de prendre' })).toBeVisible({ timeout: 30_000 });
  await expectGood(patient);
  await shot(patient, 'still-taken-phone');
  const frames = (await flows(patient)).frames;

  // The network goes away as the photo leaves: said, kept on the phone, and sent once when it is pressed again.
  await patient.evaluate(() => ((window as unknown as Watched).cut = true));
  await sheet().getByRole('button', { name: 'Envoyer la photo' }).click();
  await expect(patient.getByText('La photo est encore sur ce téléphone.')).toBeVisible();
  await expectGood(patient);
  await shot(patient, 'still-stuck-phone');
  await patient.getByRole('button', { name: 'Envoyer de nouveau' }).click();
  await expect(patient.getByRole('dialog', { name: 'Photo envoyée' })).toBeVisible({ timeout: 30_000 });
  const sent = await patient.evaluate(() => (window as unknown as Watched).keys);
  expect(sent).toHaveLength(2);
  expect(sent[1]).toBe(sent[0]);
  await shot(patient, 'still-sent-phone');
  await patient.getByRole('button', { name: 'Revenir à l’appel' }).click();
  await expect.poll(async () => (await flows(patient)).frames, { timeout: 30_000 }).toBeGreaterThan(frames);

  await expect(doctor.getByText(/ est au dossier\.$/).first()).toBeVisible({ timeout: 30_000 });
  await doctor.getByRole('button', { name: 'Voir la photo' }).click();
  const figure = doctor.getByRole('figure');
  await expect(figure).toHaveCount(1);
  await expect(figure.getByRole('link', { name: /^Ouvrir en grand/ })).toBeVisible({ timeout: 30_000 });
  await expectGood(doctor);
  await shot(doctor, 'still-kept-doctor');
  const saving = doctor.waitForEvent('download');
  await figure.getByRole('link', { name: /^Enregistrer/ }).click();
  const file = readFileSync(await (await saving).path());
  const computed = await patient.evaluate(() => (window as unknown as Watched).hashes.at(-1));
  expect(createHash('sha256').update(file).digest('hex')).toBe(computed);
  const listed = await doctor.evaluate(async (id) => (await fetch(`/api/encounters/${id}/stills`)).json(), encounter);
  expect(listed.items).toHaveLength(1);
  expect(listed.items[0]).toMatchObject({ sha256: computed, bytes: file.length });
  const video = await patient.evaluate(() => {
    const v = document.querySelector('video[aria-label]') as HTMLVideoElement | null;
    return v ? { width: v.videoWidth, height: v.videoHeight } : null;
  });
  console.log(`photo ${listed.items[0].type} ${listed.items[0].width} × ${listed.items[0].height}, ${file.length} bytes; a picture of the call ${JSON.stringify(video)}`);
});

test('the patient does not want to: said to the doctor, nothing kept, and the call goes on', async () => {
  await ask().click();
  await expect(sheet()).toBeVisible({ timeout: 30_000 });
  await sheet().getByRole('button', { name: 'Pas maintenant' }).click();
  await expect(sheet()).toHaveCount(0);
  await expect(doctor.getByText(/ ne souhaite pas prendre de photo maintenant\.$/).first()).toBeVisible({ timeout: 30_000 });
  await expectGood(doctor);
  await shot(doctor, 'still-refused-doctor');
  await doctor.getByRole('button', { name: 'Compris' }).click();
  await expect(doctor.getByRole('list', { name: 'Photos demandées' })).toHaveCount(0);
  const listed = await doctor.evaluate(async (id) => (await fetch(`/api/encounters/${id}/stills`)).json(), encounter);
  expect(listed.items).toHaveLength(1);
});

test('a camera without a photo of its own gives a frame of the video; Escape is « not now »', async () => {
  await patient.evaluate(() => Object.assign(window, { ImageCapture: undefined }));
  await ask().click();
  await sheet().getByRole('button', { name: 'Prendre la photo' }).click({ timeout: 30_000 });
  await expect(sheet().getByRole('img', { name: 'La photo que vous venez de prendre' })).toBeVisible({ timeout: 30_000 });
  await sheet().getByRole('button', { name: 'Reprendre la photo' }).click();
  await expect(sheet().getByRole('button', { name: 'Prendre la photo' })).toBeVisible();
  await patient.keyboard.press('Escape');
  await expect(sheet()).toHaveCount(0);
  await expect(doctor.getByText(/ ne souhaite pas prendre de photo maintenant\.$/).first()).toBeVisible({ timeout: 30_000 });
});

test('the patient finds the photo in their documents after the code, the same file', async () => {
  const number = '+33639980178';
  const already = (await smsOf(links().sms, number)).length;
  await patient.goto('/documents');
  await patient.getByRole('button', { name: 'Envoyer le code' }).click();
  const code = (await nextSms(links().sms, number, already, /\d{6}/)).match(/\d{6}/)![0];
  await patient.getByLabel('Code à six chiffres').fill(code);
  await patient.getByRole('button', { name: 'Voir mes documents' }).click();
  const link = patient.getByRole('link', { name: /^Photo prise / });
  await expect(link).toHaveCount(1, { timeout: 30_000 });
  await expectGood(patient);
  await shot(patient, 'still-mine-phone');
  const sums = await patient.evaluate(async (href) => {
    const { items } = await (await fetch('/api/me/stills')).json();
    const answer = await fetch(href);
    const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', await answer.arrayBuffer()));
    return { listed: items[0].sha256, read: [...sum].map((b) => b.toString(16).padStart(2, '0')).join(''), said: answer.headers.get('Content-Digest') };
  }, (await link.getAttribute('href'))!);
  expect(sums.read).toBe(sums.listed);
  expect(sums.said).toBe(`sha-256=:${Buffer.from(sums.read, 'hex').toString('base64')}:`);
});
