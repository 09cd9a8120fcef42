/**
 * A session that is too old for its first signature: the page says why, Pro Santé
 * Connect asks again, and signing goes on; whatever else comes back signs nothing
 * and loses nothing (issue 9, C7). The server of this journey has VISAVIS_SIGN_FOR=0s.
 */
import { expect, test, type Page } from '@playwright/test';
import { expectFits, expectGoodAtEveryWidth } from './look';
import { anyQuality, atDesk, bookVisit, openAct, signIn, speak, waitInRoom, wordsIn } from './people';
import { shot } from './support';

const t = wordsIn('fr');
const en = wordsIn('en');
const doctorName = 'Hugo DUPRÉ-LACROIX';
const fields = ['motive', 'text', 'conclusion', 'followUp'];
const typed = 'Toux depuis trois jours.';

/** What the next sign-in at the simulator of Pro Santé Connect does. */
async function atProvider(page: Page, fault: string) {
  const answer = await page.request.post(`${new URL(page.url()).origin}/simulateur`, { form: { fault } });
  expect(answer.ok()).toBe(true);
}

/** Signer, then the button that leaves for Pro Santé Connect, which asks. */
async function toProvider(page: Page) {
  const signed = page.waitForResponse((r) => r.url().endsWith('/sign') && r.request().method() === 'POST');
  await page.getByRole('button', { name: t('encounter', 'sign.action') }).click();
  expect((await signed).status()).toBe(403);
  const confirm = page.getByRole('button', { name: t('encounter', 'sign.stepUp.action') });
  await expect(confirm).toBeFocused();
  await confirm.click();
  await expect(page.getByRole('heading', { name: 'Confirmer votre identité' })).toBeVisible();
}

/** Back on the act: a sentence in view, nothing signed, every word there. */
async function expectUnsigned(page: Page, act: string, sentence: string) {
  await expect(page).toHaveURL(new RegExp(`/pro/encounters/${act}\\?step-up=`));
  await expect(page.locator('#content').getByText(t('encounter', sentence))).toBeInViewport();
  await expect(page.getByRole('status').getByText(t('encounter', sentence))).toBeAttached();
  await expect(page.getByText(t('encounter', 'sign.stepUp.again'))).toBeInViewport();
  for (const field of fields) await expect(page.getByLabel(t('report', `field.${field}`))).toHaveValue(typed);
  const status = await page.evaluate(async (id) => ((await (await fetch(`/api/encounters/${id}/report`)).json()) as { status: string }).status, act);
  expect(status).toBe('draft');
}

test('an old session confirms who signs before its first signature', async ({ browser }) => {
  const secretary = await atDesk(browser);
  await signIn(secretary, 'Sophie LEROY');
  const visit = await bookVisit(secretary, /DUPRÉ-LACROIX/, '0639980171');
  await secretary.context().close();
  const page = await atDesk(browser);
  await signIn(page, doctorName);
  const patient = await atDesk(browser);
  await waitInRoom(patient, visit.join);
  await openAct(page, visit, new RegExp(visit.patient));
  await page.getByRole('button', { name: t('encounter', 'door.admitName', { name: visit.patient }) }).click();
  await page.getByText(anyQuality(t)).waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: t('encounter', 'end.title.all') }).click();
  await page.getByRole('button', { name: t('encounter', 'end.confirm.all') }).click();
  await page.getByText(t('encounter', 'close.title')).waitFor();
  await patient.context().close();

  for (const field of fields) await page.getByLabel(t('report', `field.${field}`)).fill('Toux.');
  await page.getByRole('button', { name: t('encounter', 'sign.action') }).click();
  const confirm = page.getByRole('button', { name: t('encounter', 'sign.stepUp.action') });
  await expect(confirm).toBeFocused();
  await expect(confirm).toHaveAccessibleDescription(t('encounter', 'sign.stepUp.now'));
  await shot(page, 'stepup-asked-desk');
  await expectGoodAtEveryWidth(page, 'confirm to sign');
  await page.setViewportSize({ width: 360, height: 740 });
  await confirm.scrollIntoViewIfNeeded();
  await shot(page, 'stepup-asked-phone');
  await page.setViewportSize({ width: 1440, height: 900 });
  await speak(page, 'en');
  await expect(page.getByText(en('encounter', 'sign.stepUp.now'))).toBeVisible();
  await expectFits(page, 'confirm to sign in English');
  await shot(page, 'stepup-asked-en-desk');
  await speak(page, 'fr');
  // Typed after the question: it is saved before the page is left.
  for (const field of fields) await page.getByLabel(t('report', `field.${field}`)).fill(typed);
  await confirm.click();
  await expect(page.getByRole('heading', { name: 'Confirmer votre identité' })).toBeVisible();

  await test.step('somebody else signs in', async () => {
    await page.getByRole('button', { name: 'Claire MARTIN' }).click();
    await expectUnsigned(page, visit.encounterId, 'sign.stepUp.other');
    await shot(page, 'stepup-other-desk');
    await expectGoodAtEveryWidth(page, 'somebody else signed in');
  });

  await test.step('they cancel there, on a phone', async () => {
    await toProvider(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await atProvider(page, 'denied');
    await page.getByRole('button', { name: doctorName }).click();
    await expectUnsigned(page, visit.encounterId, 'sign.stepUp.failed');
    await shot(page, 'stepup-cancelled-phone');
    await expectFits(page, 'cancelled on a phone');
    await page.setViewportSize({ width: 1440, height: 900 });
    await shot(page, 'stepup-cancelled-desk');
  });

  await test.step('they come back with the arrow of the browser', async () => {
    await toProvider(page);
    await atProvider(page, '');
    await page.goBack();
    await expect(page.getByLabel(t('report', 'field.motive'))).toHaveValue(typed);
    await expect(page.getByText(t('encounter', 'sign.done'))).toHaveCount(0);
  });

  await test.step('they close the window there, and sign from another', async () => {
    const other = await page.context().newPage();
    await page.close();
    await other.goto(`/pro/encounters/${visit.encounterId}`);
    await expect(other.getByLabel(t('report', 'field.motive'))).toHaveValue(typed);
    await toProvider(other);
    await other.getByRole('button', { name: doctorName }).click();
    await other.getByText(t('encounter', 'sign.done')).first().waitFor({ timeout: 60_000 });
    await expect(other).toHaveURL(new RegExp(`/pro/encounters/${visit.encounterId}$`));
    await expect(other.getByText(typed).first()).toBeVisible();
    await shot(other, 'stepup-signed-desk');
    await other.context().close();
  });
});
