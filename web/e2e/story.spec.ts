/**
 * One act of care, whole (issue 2, acceptance 1): a patient books on a phone,
 * agrees, meets the doctor and a nurse by video, and reads the documents.
 * It runs against the demo clinic: VISAVIS_URL and LINKS say where.
 */
import { expect, test, type Browser, type Page } from '@playwright/test';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expectGood } from './look';
import { dayInParis, openAct } from './people';
import { flows, lettersIn, nextSms, shot, smsOf, typeCode, watchMedia } from './support';

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

/** The act of the doctor's agenda in which somebody of that name has arrived. */
async function actOf(page: Page, name: RegExp): Promise<{ encounterId: string; today: boolean }> {
  const day = dayInParis(new Date());
  type Found = { practitioners: { appointments: { start: string; status: string; encounterId?: string; patient: { displayName: string } }[] }[] };
  const here = async () => {
    const found = await page.evaluate(async (d) => (await (await fetch(`/api/agenda?date=${d}&days=2`)).json()) as Found, day);
    return found.practitioners.flatMap((p) => p.appointments).filter((a) => name.test(a.patient.displayName) && a.status === 'arrived' && a.encounterId);
  };
  await expect.poll(async () => (await here()).length).toBeGreaterThan(0);
  const last = (await here()).at(-1)!;
  return { encounterId: last.encounterId!, today: dayInParis(new Date(last.start)) === day };
}

/** Waits until a page decodes pictures and hears sound of so many others. */
async function meets(page: Page, others: number) {
  await expect.poll(async () => (await flows(page)).streams, { timeout: 60_000 }).toBeGreaterThanOrEqual(others);
  const before = await flows(page);
  await expect.poll(async () => (await flows(page)).frames, { timeout: 60_000 }).toBeGreaterThan(before.frames + 10);
  await expect.poll(async () => (await flows(page)).energy, { timeout: 60_000 }).toBeGreaterThan(0);
}

test('a consultation from booking to the documents', async ({ browser }) => {
  test.setTimeout(420_000);
  const patient = await open(browser, phone);
  const doctor = await open(browser, laptop);
  const nurse = await open(browser, laptop);
  // No other journey meets this patient: who waits for the doctor is him.
  const number = '+33611000005';
  let act = { encounterId: '', today: true };
  const before = (await smsOf(links.sms, number)).length;
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
    await patient.getByLabel('Nom de naissance').fill('O’Brien');
    await patient.getByLabel('Premier prénom').fill('Marcel');
    await patient.getByLabel('Date de naissance').fill('30/09/1941');
    await patient.getByLabel('Téléphone mobile').fill('06 11 00 00 05');
    await shot(patient, '03-book');
    await patient.getByRole('button', { name: 'Continuer' }).click();
    await typeCode(patient, links.sms, number, before);
    await expect(patient.getByRole('heading', { name: 'C’est réservé' })).toBeVisible();
    await shot(patient, '04-booked');
  });

  await test.step('the link arrives by SMS, without a health word (B11)', async () => {
    const text = await nextSms(links.sms, number, before, /rdv#/);
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
    const receive = doctor.getByRole('link', { name: /Recevoir .*O.BRIEN/i }).or(doctor.getByRole('button', { name: /Recevoir .*O.BRIEN/i })).first();
    act = await actOf(doctor, /O.BRIEN/i);
    if (act.today) {
      await receive.waitFor();
      await shot(doctor, '10-day');
      await receive.click();
    } else await doctor.goto(`/pro/encounters/${act.encounterId}`); // near midnight the first free time is tomorrow's
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

  await test.step('a nurse joins as a third seat, with her role shown (B2, B14)', async () => {
    await doctor.getByRole('button', { name: /Inviter/ }).first().click();
    await doctor.getByRole('button', { name: /Inviter Inès BENALI/ }).click();
    await doctor.getByRole('button', { name: 'Revenir à l’appel' }).click();
    await signIn(nurse, 'Inès BENALI');
    await openAct(nurse, act, /O.BRIEN/);
    await doctor.getByRole('button', { name: /Faire entrer Inès BENALI/ }).click();
    await meets(nurse, 2);
    await meets(patient, 2);
    await expect(patient.getByText(/infirmi/).first()).toBeVisible();
    await shot(nurse, '13-call-nurse');
    await shot(patient, '14-call-three-patient');
    await shot(doctor, '15-call-three-doctor');
  });

  await test.step('the doctor writes while talking: report, medicines, exams (A10, B1, B15)', async () => {
    await doctor.getByLabel('Motif').fill('Toux depuis trois jours');
    await doctor.getByLabel('Observation').fill('Pas de fièvre. Auscultation impossible à distance.');
    await doctor.getByLabel('Conclusion').fill('Rhinite virale probable.');
    await doctor.getByLabel('Suite à donner').fill('Revoir sur place si la toux dure plus de dix jours.');
    await expect(doctor.getByText(/Enregistré à/).filter({ visible: true }).first()).toBeVisible();
    await doctor.getByRole('tab', { name: /Prescriptions/ }).click();
    await shot(doctor, '16-prescriptions');
    await doctor.getByRole('button', { name: 'Ajouter une prescription' }).click();
    await doctor.getByRole('menuitem', { name: 'Médicaments' }).click();
    await doctor.getByLabel('Ajouter un médicament').fill('paracetamol');
    await doctor.getByRole('option', { name: /paracétamol/i }).first().click();
    await shot(doctor, '16b-chosen');
    await doctor.getByLabel('Quand').selectOption('matin, midi et soir');
    await doctor.getByLabel('Durée (jours)').fill('5');
    await doctor.getByLabel('Boîtes').fill('2');
    await expect(doctor.getByText('1 comprimé matin, midi et soir pendant 5 jours')).toBeVisible();
    await shot(doctor, '17-medicine');
    await doctor.getByRole('button', { name: 'Ajouter une prescription' }).click();
    await doctor.getByRole('menuitem', { name: 'Analyses de biologie' }).click();
    await doctor.getByLabel('Texte de la ligne 1').fill('NFS, CRP');
    await expect(doctor.getByText(/Enregistré à/).filter({ visible: true }).first()).toBeVisible();
    await shot(doctor, '18-exams');
  });

  await test.step('the call ends for all; the report is already filled (journey 4.3 step 7)', async () => {
    await doctor.getByRole('button', { name: 'Terminer la consultation' }).click();
    await doctor.getByRole('button', { name: 'Terminer et passer au compte rendu' }).click();
    await expect(patient.getByRole('heading', { name: 'La consultation est terminée' })).toBeVisible();
    await expect(doctor.getByText('Ce que le compte rendu contient déjà')).toBeVisible();
    await shot(doctor, '19-close');
    await shot(patient, '20-end');
  });

  await test.step('one signature sends everything (B16, H22, H24)', async () => {
    await doctor.getByRole('button', { name: 'Signer et envoyer' }).click();
    await expect(doctor.getByText('Signé. L’envoi de chaque document').first()).toBeVisible({ timeout: 60_000 });
    await shot(doctor, '21-signed');
    await expect.poll(() => lettersIn(links.mail, '141092901905473@patient.mssante.fr'), { timeout: 60_000 }).toMatch(/XDM\/1\.0\/DDM/);
    await expect.poll(() => lettersIn(links.mail, 'anne.legoff@medecin.mssante.fr'), { timeout: 60_000 }).toMatch(/XDM\/1\.0\/DDM/);
    await expect(doctor.getByText('Envoyé', { exact: true }).first()).toBeVisible({ timeout: 60_000 });
    await shot(doctor, '22-sent');
  });

  await test.step('the patient reads the documents after a second factor (I3, I4)', async () => {
    const already = (await smsOf(links.sms, number)).length;
    await patient.getByRole('link', { name: 'Voir mes documents' }).or(patient.getByRole('button', { name: 'Voir mes documents' })).first().click();
    await patient.getByRole('button', { name: 'Envoyer le code' }).click();
    const code = (await nextSms(links.sms, number, already, /\d{6}/)).match(/\d{6}/)![0];
    await patient.getByLabel('Code à six chiffres').fill(code);
    await shot(patient, '23-code');
    await patient.getByRole('button', { name: 'Voir mes documents' }).click();
    await expect(patient.getByText(/Compte rendu/).first()).toBeVisible();
    await shot(patient, '24-documents');
    await patient.getByText('Qui l’a ouvert').first().click();
    await expect(patient.getByText(/Claire MARTIN/).first()).toBeVisible();
    await shot(patient, '25-accesses');
  });

  await test.step('the pharmacist scans the sheet, dispenses, and the patient sees it (B15, J19)', async () => {
    const sheets = await patient.evaluate(async () => {
      const { items } = await (await fetch('/api/documents')).json();
      const one = items.find((d: { dispensing?: unknown }) => d.dispensing);
      return [...new Uint8Array(await (await fetch(`/api/documents/${one.id}/pdf`)).arrayBuffer())];
    });
    const text = execFileSync('pdftotext', ['-layout', '-', '-'], { input: Buffer.from(sheets) }).toString();
    const address = text.replace(/\s/g, '').match(/\/v\/[a-z2-7]{26}/)![0];
    const printed = text.match(/Code d'accès : ([0-9A-Z]{4}-[0-9A-Z]{4})/)![1]!;
    const counter = await open(browser, phone);
    await counter.goto(new URL(address, links.home).href);
    await expect(counter.getByText('Ordonnance authentique')).toBeVisible();
    await expect(counter.getByText('Pas encore délivrée')).toBeVisible();
    await expectGood(counter);
    await shot(counter, '26-verify-360');
    const unlock = async () => {
      await counter.getByLabel('Code de la feuille').fill(printed);
      await counter.keyboard.press('Enter');
      await expect(counter.getByText(/paracétamol/i).first()).toBeVisible();
    };
    await unlock();
    await shot(counter, '27-content-360');
    await counter.getByRole('link', { name: /Pharmacien : me connecter/ }).click();
    await counter.getByRole('button', { name: 'Paul NGUYEN' }).click();
    await counter.waitForURL(/\/v\//);
    await unlock();
    for (const [width, height] of [[360, 740], [768, 1024], [1440, 900]] as const) {
      await counter.setViewportSize({ width, height });
      await expectGood(counter);
      await shot(counter, `28-counter-${width}`);
    }
    await counter.getByRole('radio', { name: 'En entier' }).focus();
    await counter.keyboard.press('ArrowDown');
    await counter.getByLabel(/Quantité délivrée/).fill('1');
    await counter.getByRole('button', { name: 'Noter la délivrance' }).click();
    await expect(counter.getByText(/Délivrée le .* par votre pharmacie/)).toBeVisible();
    await expect(counter.getByText('Délivrée en partie')).toBeVisible();
    await expectGood(counter);
    await shot(counter, '29-dispensed');
    await counter.getByRole('button', { name: 'English' }).click();
    await expect(counter.getByText(/Dispensed on .* by your pharmacy/)).toBeVisible();
    await expectGood(counter);
    await shot(counter, '30-dispensed-en');
    await expect(patient.getByText(/Délivrée en partie .* par Pharmacie du Marché/)).toBeVisible({ timeout: 60_000 });
  });
});
