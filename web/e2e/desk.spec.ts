/**
 * How the professional's pages look: every page and its states, at 1440 px, at
 * 200 % and at 320 px, in French and in English: axe, nothing to scroll
 * sideways, no word cut (issue 2, "The web"; look.md).
 */
import { expect, test, type BrowserContext, type Page } from '@playwright/test';
import { execFileSync } from 'node:child_process';
import { expectGoodAtEveryWidth } from './look';
import { anyQuality, atDesk, bookVisit, phone, signIn, speak, tooLate, waitInRoom, wordsIn, type Language, type Visit, type Words } from './people';
import { shot } from './support';

type State = Awaited<ReturnType<BrowserContext['storageState']>>;
const languages: readonly Language[] = ['fr', 'en'];

let doctorIn: State;
let secretaryIn: State;
let visit: Visit;

test.describe.configure({ timeout: 420_000 });

test.beforeAll(async ({ browser }) => {
  const secretary = await atDesk(browser);
  await signIn(secretary, 'Sophie LEROY');
  visit = await bookVisit(secretary, /DUPRÉ-LACROIX/, '0639980101');
  secretaryIn = await secretary.context().storageState();
  await secretary.context().close();
  const doctor = await atDesk(browser);
  await signIn(doctor, 'Hugo DUPRÉ-LACROIX');
  doctorIn = await doctor.context().storageState();
  await doctor.context().close();
});

/** The same looks in both languages; the page is in French before and after. */
async function inBoth(page: Page, look: (t: Words, language: Language) => Promise<void>) {
  for (const language of languages) {
    if (language === 'en') await speak(page, 'en');
    await look(wordsIn(language), language);
  }
  await speak(page, 'fr');
}

/** Answers one question of the page with the server's own answer, changed. */
async function changed<T>(page: Page, url: string, change: (body: T) => void) {
  await page.route(url, async (route) => {
    const answer = await route.fetch();
    const json = (await answer.json()) as T;
    change(json);
    await route.fulfill({ response: answer, json });
  });
}

const broken = (page: Page, url: string) =>
  page.route(url, (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', json: { status: 503, code: 'unavailable', ref: '0123456789ab' } }));

/** The appointment in its doctor's column: the same name may be in another's. */
const booked = (page: Page) => page.getByRole('region', { name: /DUPRÉ-LACROIX/ }).getByRole('button', { name: new RegExp(visit.patient) });

const title = (page: Page) => page.getByRole('heading', { level: 1 });

test('sign-in, and why it did not work', async ({ browser }) => {
  const page = await atDesk(browser);
  await page.goto('/pro');
  await inBoth(page, async (t, l) => {
    await expect(title(page)).toHaveText(t('pro', 'signIn.title'));
    await expectGoodAtEveryWidth(page, `sign-in ${l}`);
  });
  await page.goto('/pro?error=psc-unknown');
  await inBoth(page, async (t, l) => {
    await page.getByText(t('pro', 'signIn.psc-unknown'), { exact: true }).waitFor();
    await expectGoodAtEveryWidth(page, `sign-in refused ${l}`);
  });
  await page.context().close();
});

test('a role without a page of its own', async ({ browser }) => {
  const page = await atDesk(browser);
  await signIn(page, 'Paul NGUYEN');
  await inBoth(page, async (t, l) => {
    await expect(title(page)).toHaveText(t('desk', 'noPlace.title'));
    await expectGoodAtEveryWidth(page, `no place ${l}`);
  });
  await page.context().close();
});

test('the agenda: today, a week, nobody, two hundred, a failure, no network', async ({ browser }) => {
  test.skip(!visit.today, tooLate);
  const page = await atDesk(browser, secretaryIn);
  await page.goto('/pro/agenda');
  const cell = booked(page);
  await cell.waitFor();
  await shot(page, 'desk-agenda');
  await inBoth(page, async (t, l) => {
    await expectGoodAtEveryWidth(page, `agenda ${l}`);
    await page.getByText(t('agenda', 'span.week'), { exact: true }).click();
    await expect(page.getByLabel(t('agenda', 'practitioner'))).toBeVisible();
    await expectGoodAtEveryWidth(page, `week ${l}`);
    if (l === 'fr') await shot(page, 'desk-week');
    await page.getByText(t('agenda', 'span.day'), { exact: true }).click();
  });
  type Agenda = { practitioners: { appointments: { id: string; start: string; end: string; patient: { displayName: string } }[]; freeSlots: unknown[] }[] };
  await changed<Agenda>(page, '**/api/agenda*', (a) => {
    const model = a.practitioners.flatMap((p) => p.appointments).find((x) => x.patient.displayName === visit.patient)!;
    const day = Date.parse(model.start) - (Date.parse(model.start) % 86_400_000) + 6 * 3_600_000;
    for (const p of a.practitioners) {
      p.freeSlots = [];
      p.appointments = Array.from({ length: 100 }, (_, i) => ({
        ...model,
        id: `${model.id}-${i}`,
        start: new Date(day + i * 480_000).toISOString(),
        end: new Date(day + (i + 1) * 480_000).toISOString(),
      }));
    }
  });
  await page.reload();
  await expect(page.getByRole('button', { name: new RegExp(visit.patient) }).nth(150)).toBeAttached({ timeout: 60_000 });
  await expectGoodAtEveryWidth(page, 'agenda of 200');
  await shot(page, 'desk-agenda-200');
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await changed<Agenda>(page, '**/api/agenda*', (a) => {
    for (const p of a.practitioners) [p.appointments, p.freeSlots] = [[], []];
  });
  await page.reload();
  await inBoth(page, async (t, l) => {
    await expect(page.getByText(t('agenda', 'nothing')).first()).toBeVisible();
    await expectGoodAtEveryWidth(page, `empty agenda ${l}`);
  });
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await broken(page, '**/api/agenda*');
  await page.reload();
  await inBoth(page, async (_, l) => {
    await expect(page.getByRole('alert').filter({ visible: true, hasText: /./ })).toBeVisible();
    await expectGoodAtEveryWidth(page, `agenda failed ${l}`);
  });
  await shot(page, 'desk-agenda-failed');
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await page.route('**/api/agenda*', () => undefined);
  await page.reload();
  await expect(page.getByText(wordsIn('fr')('agenda', 'loading'))).toBeVisible();
  await expectGoodAtEveryWidth(page, 'agenda loading');
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await page.context().setOffline(true);
  await expect(page.getByText(wordsIn('fr')('app', 'offline'))).toBeVisible();
  await expectGoodAtEveryWidth(page, 'agenda offline');
  await page.context().close();
});

test('booking on the phone and what can be done for an appointment', async ({ browser }) => {
  test.skip(!visit.today, tooLate);
  const page = await atDesk(browser, secretaryIn);
  // A short day behind the dialog: the long ones are looked at above. Its free
  // times are the next ones beside what is booked.
  type Time = { start: string; end: string };
  type Short = { practitioners: { appointments: Time[]; freeSlots: Time[] }[] };
  await changed<Short>(page, '**/api/agenda*', (a) => {
    const next = Math.ceil(Date.now() / 900_000) * 900_000;
    const quarter = (i: number) => new Date(next + i * 900_000).toISOString();
    const day = Array.from({ length: 36 }, (_, i) => ({ start: quarter(i), end: quarter(i + 1) }));
    const apart = (x: Time, y: Time) => Date.parse(x.end) <= Date.parse(y.start) || Date.parse(y.end) <= Date.parse(x.start);
    for (const p of a.practitioners) p.freeSlots = day.filter((s) => p.appointments.every((x) => apart(s, x))).slice(0, 8);
  });
  await changed<{ items: unknown[] }>(page, '**/slots?*', (s) => (s.items = s.items.slice(0, 60)));
  await page.goto('/pro/agenda');
  await booked(page).waitFor();
  const night = page.getByRole('button', { name: wordsIn('fr')('agenda', 'night.show') });
  if (await night.isVisible()) await night.click(); // in the evening
  await inBoth(page, async (t, l) => {
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: new RegExp(`^${t('agenda', 'bookAt', { time: '' })}`) }).last().click();
    const search = dialog.getByRole('combobox', { name: t('patients', 'search.label') });
    await search.waitFor();
    await expectGoodAtEveryWidth(page, `book ${l}`);
    const look = async (text: string) => {
      await search.fill('');
      await search.fill(text);
    };
    await look('DELAR');
    await dialog.page().getByRole('option').first().waitFor();
    await expectGoodAtEveryWidth(page, `book, list open ${l}`);
    if (l === 'fr') await shot(page, 'desk-book-list');
    await look('zzzz');
    await page.getByText(t('patients', 'search.none')).first().waitFor();
    await expectGoodAtEveryWidth(page, `book, nobody found ${l}`);
    await look('');
    await dialog.getByRole('button', { name: t('agenda', 'book.new') }).click();
    await dialog.getByRole('button', { name: t('agenda', 'book.confirm') }).click();
    await dialog.getByText(t('agenda', 'missing.required')).first().waitFor();
    await expectGoodAtEveryWidth(page, `book, fields missing ${l}`);
    if (l === 'fr') await shot(page, 'desk-book-missing');
    await dialog.getByRole('button', { name: t('agenda', 'cancel') }).click();
    await expect(dialog).toHaveCount(0);

    await booked(page).click();
    await dialog.getByRole('button', { name: t('agenda', 'deed.move') }).waitFor();
    await expectGoodAtEveryWidth(page, `appointment ${l}`);
    if (l === 'fr') await shot(page, 'desk-appointment');
    await dialog.getByRole('button', { name: t('agenda', 'deed.cancel') }).click();
    await expectGoodAtEveryWidth(page, `appointment, sure ${l}`);
    await dialog.getByRole('button', { name: t('agenda', 'sure.no') }).click();
    await dialog.getByRole('button', { name: t('agenda', 'deed.companion') }).click();
    await dialog.getByRole('button', { name: t('companion', 'send') }).waitFor();
    await expectGoodAtEveryWidth(page, `appointment, invite ${l}`);
    if (l === 'fr') await shot(page, 'desk-appointment-invite');
    await dialog.getByRole('button', { name: t('agenda', 'deed.back') }).click();
    await dialog.getByRole('button', { name: t('agenda', 'deed.move') }).click();
    await dialog.getByRole('listitem').first().waitFor();
    await expectGoodAtEveryWidth(page, `appointment, move ${l}`);
    if (l === 'fr') await shot(page, 'desk-appointment-move');
    await page.keyboard.press('Escape');
    await expect(dialog).toHaveCount(0);
  });
  await page.context().close();
});

test('patients: searched, found, checked', async ({ browser }) => {
  const page = await atDesk(browser, secretaryIn);
  await page.goto('/pro/patients');
  await inBoth(page, async (t, l) => {
    await expect(title(page)).toHaveText(t('patients', 'title'));
    await expectGoodAtEveryWidth(page, `patients ${l}`);
    const search = page.getByRole('combobox', { name: t('patients', 'search.label') });
    await search.fill('DELAR');
    await page.getByRole('option').first().waitFor();
    await expectGoodAtEveryWidth(page, `patients, list open ${l}`);
    await page.getByRole('option').first().click();
    await page.getByRole('heading', { name: t('patients', 'identity.title') }).waitFor();
    await expectGoodAtEveryWidth(page, `a patient ${l}`);
    if (l === 'fr') await shot(page, 'desk-patient');
  });
  await page.context().close();
});

test('the day: who waits, nobody, two hundred, a failure', async ({ browser }) => {
  test.skip(!visit.today, tooLate);
  const page = await atDesk(browser, doctorIn);
  await page.goto('/pro');
  await page.getByRole('link', { name: visit.patient }).first().waitFor();
  await inBoth(page, async (_, l) => expectGoodAtEveryWidth(page, `day ${l}`));
  type Day = { items: { encounterId: string; status: string; online: boolean; host: boolean; waitingSince?: string; start: string; end: string }[] };
  await changed<Day>(page, '**/api/day*', (d) => {
    const states = ['arrived', 'in-progress', 'planned', 'finished', 'cancelled'];
    const own = d.items.find((x) => JSON.stringify(x).includes(visit.patient))!;
    d.items = Array.from({ length: 200 }, (_, i) => ({
      ...own,
      encounterId: `${own.encounterId}-${i}`,
      status: states[i % states.length]!,
      online: i % 2 === 0,
      host: i % 3 !== 0,
      waitingSince: new Date(Date.now() - i * 60_000).toISOString(),
    }));
  });
  await page.reload();
  await expect(page.getByRole('link', { name: visit.patient }).nth(190)).toBeAttached({ timeout: 60_000 });
  await expectGoodAtEveryWidth(page, 'day of 200');
  await shot(page, 'desk-day-200');
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await changed<Day>(page, '**/api/day*', (d) => (d.items = []));
  await page.reload();
  await inBoth(page, async (t, l) => {
    await page.getByText(t('desk', 'day.none')).waitFor();
    await expectGoodAtEveryWidth(page, `empty day ${l}`);
  });
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await broken(page, '**/api/day*');
  await page.reload();
  await expect(page.getByRole('alert').filter({ visible: true, hasText: /./ })).toBeVisible();
  await expectGoodAtEveryWidth(page, 'day failed');
  await page.context().close();
});

test('an act, from the door to the paper queue and the pharmacy', async ({ browser }) => {
  const page = await atDesk(browser, doctorIn);
  const patient = await atDesk(browser, undefined, phone);
  const name = visit.patient;
  const fr = wordsIn('fr');
  await page.goto(`/pro/encounters/${visit.encounterId}`);

  await inBoth(page, async (t, l) => {
    await page.getByText(t('encounter', 'scene.alone')).waitFor();
    await page.getByRole('button', { name: t('encounter', 'consent.read') }).click();
    await page.getByRole('region', { name: t('encounter', 'consent.text') }).waitFor();
    await expectGoodAtEveryWidth(page, `act before ${l}`);
    await page.getByRole('button', { name: t('encounter', 'consent.hide') }).click();
  });
  await shot(page, 'desk-act-before');

  await waitInRoom(patient, visit.join);
  const admit = (t: Words) => page.getByRole('button', { name: t('encounter', 'door.admitName', { name }) });
  await inBoth(page, async (t, l) => {
    await admit(t).waitFor({ timeout: 60_000 });
    await expectGoodAtEveryWidth(page, `act, at the door ${l}`);
  });
  await shot(page, 'desk-act-door');
  await admit(fr).click();
  await page.getByText(anyQuality(fr)).waitFor({ timeout: 60_000 });

  await inBoth(page, async (t, l) => {
    await expectGoodAtEveryWidth(page, `call ${l}`);
    for (const view of ['second', 'first'] as const) {
      await page.getByText(t('encounter', `view.${view}`), { exact: true }).click();
      await expectGoodAtEveryWidth(page, `call, ${view} pane ${l}`);
      if (l === 'fr') await shot(page, `desk-call-${view}`);
    }
    await page.getByText(t('encounter', 'view.both'), { exact: true }).click();
    await page.getByRole('button', { name: t('call', 'chat.open') }).click();
    await page.getByRole('button', { name: t('call', 'chat.close') }).waitFor();
    await expectGoodAtEveryWidth(page, `call, messages ${l}`);
    if (l === 'fr') await shot(page, 'desk-call-chat');
    await page.getByRole('button', { name: t('call', 'chat.close') }).click();
    await page.getByRole('button', { name: t('call', 'mic.off') }).click();
    await page.getByRole('button', { name: t('call', 'camera.off') }).click();
    await expectGoodAtEveryWidth(page, `call, muted ${l}`);
    await page.getByRole('button', { name: t('call', 'mic.on') }).click();
    await page.getByRole('button', { name: t('call', 'camera.on') }).click();
    await page.getByRole('button', { name: t('encounter', 'invite.title') }).click();
    await page.getByRole('dialog').getByRole('listitem').first().waitFor();
    await expectGoodAtEveryWidth(page, `call, invite ${l}`);
    if (l === 'fr') await shot(page, 'desk-call-invite');
    await page.keyboard.press('Escape');
  });
  await page.getByRole('button', { name: fr('encounter', 'device.title') }).click();
  await page.getByRole('button', { name: fr('encounter', 'device.create') }).click();
  await page.getByText(fr('encounter', 'device.needsName'), { exact: true }).waitFor();
  await expectGoodAtEveryWidth(page, 'call, a device without a name');
  await page.getByLabel(fr('encounter', 'device.name')).fill('Échographe, salle 2');
  await page.getByRole('button', { name: fr('encounter', 'device.create') }).click();
  await expect(page.locator('code').last()).toHaveText(/^[\w-]{43}$/);
  await expect(page.locator('code').first()).toHaveText(/\/api\/whip\/[0-9a-f-]{36}$/);
  await page.context().grantPermissions(['clipboard-write']);
  await page.getByRole('button', { name: fr('encounter', 'device.copyToken') }).click();
  await page.getByRole('dialog').getByText(fr('encounter', 'device.copied'), { exact: true }).first().waitFor();
  await expectGoodAtEveryWidth(page, 'call, the way in of a device');
  await shot(page, 'desk-call-device');
  await page.getByRole('button', { name: 'Retirer Échographe, salle 2' }).click();
  await expect(page.getByText(fr('encounter', 'device.here'), { exact: true })).toBeHidden();
  await page.keyboard.press('Escape');

  await broken(page, '**/report');
  await page.getByLabel(fr('report', 'field.text')).fill('Pas de fièvre.');
  await page.getByText(fr('report', 'save.kept'), { exact: true }).waitFor({ timeout: 60_000 });
  await inBoth(page, async (_, l) => expectGoodAtEveryWidth(page, `report kept here ${l}`));
  await shot(page, 'desk-report-kept');
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  // It leaves by itself too, perhaps before the press.
  await page.getByRole('button', { name: fr('report', 'save.retry') }).click({ timeout: 3_000 }).catch(() => undefined);
  await page.getByText(/Enregistré à/).filter({ visible: true }).first().waitFor();

  await page.getByRole('tab', { name: fr('encounter', 'tab.documents') }).click();
  await inBoth(page, async (_, l) => expectGoodAtEveryWidth(page, `documents ${l}`));
  await page.getByRole('tab', { name: /Prescriptions/ }).click();
  await inBoth(page, async (t, l) => {
    await page.getByRole('button', { name: t('prescription', 'new') }).click();
    await page.getByRole('menuitem').first().waitFor();
    await expectGoodAtEveryWidth(page, `prescription menu ${l}`);
    if (l === 'fr') await shot(page, 'desk-prescription-menu');
    await page.keyboard.press('Escape');
    await expect(page.getByRole('menuitem')).toHaveCount(0);
  });
  await page.getByRole('button', { name: fr('prescription', 'new') }).click();
  await page.getByRole('menuitem', { name: fr('prescription', 'category.medicines') }).click();
  const medicine = (t: Words) => page.getByRole('combobox', { name: t('prescription', 'search.label') });
  await inBoth(page, async (t, l) => {
    await medicine(t).fill('');
    await medicine(t).fill('paracetamol');
    await page.getByRole('option').first().waitFor();
    await expectGoodAtEveryWidth(page, `medicines, list open ${l}`);
    if (l === 'fr') await shot(page, 'desk-medicines');
    await medicine(t).fill('');
  });
  await medicine(fr).fill('paracetamol');
  await page.getByRole('option').first().click();
  await inBoth(page, async (_, l) => expectGoodAtEveryWidth(page, `medicine ${l}`));

  await page.getByRole('button', { name: fr('encounter', 'end.title.all') }).click();
  await expectGoodAtEveryWidth(page, 'end');
  await shot(page, 'desk-end');
  await page.getByRole('button', { name: fr('encounter', 'end.confirm.all') }).click();
  await page.getByText(fr('encounter', 'close.title')).waitFor();
  await page.getByRole('button', { name: fr('encounter', 'sign.action') }).click();
  await page.getByText(fr('encounter', 'sign.refused.now')).waitFor();
  await inBoth(page, async (_, l) => expectGoodAtEveryWidth(page, `signature refused ${l}`));
  await shot(page, 'desk-sign-refused');

  await page.getByLabel(fr('prescription', 'dosage.when')).selectOption({ index: 1 });
  await page.getByLabel(fr('prescription', 'field.durationDays')).fill('5');
  await page.getByLabel(fr('prescription', 'field.quantity')).fill('2');
  await page.getByRole('tab', { name: fr('encounter', 'tab.report') }).click();
  for (const field of ['motive', 'conclusion', 'followUp']) await page.getByLabel(fr('report', `field.${field}`)).fill('Toux depuis trois jours.');
  await page.getByRole('button', { name: fr('encounter', 'sign.action') }).click();
  await page.getByText(fr('encounter', 'sign.done')).first().waitFor({ timeout: 60_000 });
  await inBoth(page, async (t, l) => {
    await page.getByText(t('deliveries', 'reason.waiting-identity')).first().waitFor({ timeout: 60_000 });
    await expectGoodAtEveryWidth(page, `signed report ${l}`);
  });
  await shot(page, 'desk-signed');
  await page.getByRole('tab', { name: /Prescriptions/ }).click();
  await inBoth(page, async (t, l) => {
    await expectGoodAtEveryWidth(page, `signed prescription ${l}`);
    await page.getByRole('button', { name: t('prescription', 'cancel') }).click();
    await page.getByRole('dialog').waitFor();
    await expectGoodAtEveryWidth(page, `cancel prescription ${l}`);
    await page.keyboard.press('Escape');
  });

  type Files = { items: { id: string; encounterId: string }[] };
  await changed<Files>(page, '**/api/documents?*', (f) => (f.items = Array.from({ length: 200 }, (_, i) => ({ ...f.items[i % f.items.length]!, id: `${i}`, encounterId: 'another' }))));
  await page.reload();
  await page.getByRole('tab', { name: fr('encounter', 'tab.documents') }).click();
  await page.getByRole('tabpanel').getByRole('listitem').nth(150).waitFor({ timeout: 60_000 });
  await expectGoodAtEveryWidth(page, '200 documents');
  await shot(page, 'desk-documents-200');
  await page.unrouteAll({ behavior: 'ignoreErrors' });

  // The letter waits for a qualified identity; the queue is shown holding it, then two hundred like it.
  const [letter] = await page.evaluate(async (id) => (await (await fetch(`/api/encounters/${id}/deliveries`)).json()).items, visit.encounterId);
  const paper = await atDesk(browser, secretaryIn);
  type Queue = { items: object[] };
  let copies = 1;
  await changed<Queue>(paper, '**/api/deliveries*', (q) => (q.items = Array.from({ length: copies }, (_, i) => ({ ...letter, id: `${letter.id}-${i}`, state: 'to-post' }))));
  await paper.goto('/pro/a-poster');
  await inBoth(paper, async (t, l) => {
    await paper.getByRole('button', { name: t('deliveries', 'post.postedName', { name }) }).waitFor();
    await expectGoodAtEveryWidth(paper, `to post ${l}`);
  });
  await shot(paper, 'desk-post');
  copies = 200;
  await paper.reload();
  await paper.getByText(name).nth(150).waitFor({ timeout: 60_000 });
  await expectGoodAtEveryWidth(paper, '200 to post');
  await paper.unrouteAll({ behavior: 'ignoreErrors' });
  await changed<Queue>(paper, '**/api/deliveries*', (q) => (q.items = []));
  await paper.reload();
  await inBoth(paper, async (t, l) => {
    await paper.getByText(t('deliveries', 'post.none')).waitFor();
    await expectGoodAtEveryWidth(paper, `nothing to post ${l}`);
  });
  await paper.context().close();

  await atPharmacy(page);
  await patient.context().close();
  await page.context().close();
});

/** The pharmacist reads the sheet: the address of its square, and the code printed under it. */
async function atPharmacy(page: Page) {
  const sheet = await page.evaluate(async (id) => {
    const { items } = await (await fetch(`/api/encounters/${id}/prescriptions`)).json();
    const pdf = new Uint8Array(await (await fetch(`/api/documents/${items[0].documentId}/pdf`)).arrayBuffer());
    return { publicId: items[0].verificationId as string, pdf: btoa(Array.from(pdf, (b) => String.fromCharCode(b)).join('')) };
  }, visit.encounterId);
  const printed = execFileSync('pdftotext', ['-layout', '-', '-'], { input: Buffer.from(sheet.pdf, 'base64') }).toString();
  const code = /Code d.accès : ([A-Z0-9-]+)/.exec(printed)![1]!;
  await page.goto(`/v/${sheet.publicId}`);
  await inBoth(page, async (t, l) => {
    await page.getByText(t('verify', 'genuine')).waitFor();
    await expectGoodAtEveryWidth(page, `verification ${l}`);
  });
  const fr = wordsIn('fr');
  await page.getByLabel(fr('verify', 'code')).fill(code);
  await page.getByRole('button', { name: fr('verify', 'open') }).click();
  await page.getByRole('heading', { name: fr('verify', 'content') }).waitFor();
  await inBoth(page, async (_, l) => expectGoodAtEveryWidth(page, `verified content ${l}`));
  await shot(page, 'desk-verified');
}
