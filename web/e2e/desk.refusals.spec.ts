/** Data protection: what a nurse was refused raises an alarm, which is read, searched and dealt with once (issue 9, C4). */
import { expect, test, type Page } from '@playwright/test';
import { expectFits, expectGoodAtEveryWidth, expectNoViolation } from './look';
import { atDesk, signIn, speak, wordsIn } from './people';
import { shot } from './support';

const t = wordsIn('fr');
const en = wordsIn('en');

/** Asks for records that are not theirs, as a program would. */
const prowl = (page: Page, count: number, first = 0) =>
  page.evaluate(
    async ([n, from]) => {
      const id = (i: number) => `018f0000-0000-7000-8000-${String(from + i).padStart(12, '0')}`;
      const answers = await Promise.all(Array.from({ length: n }, (_, i) => fetch(`/api/patients/${id(i)}`)));
      return answers.map((a) => a.status);
    },
    [count, first] as const,
  );

test('an alarm about refused accesses is read and dealt with', async ({ browser }) => {
  test.setTimeout(240_000);
  const officer = await atDesk(browser);
  await signIn(officer, 'Nadia ROCHER');
  await expect(officer.getByRole('heading', { level: 1, name: t('refusals', 'title') })).toBeVisible();
  await officer.getByText(t('refusals', 'state.settled')).click();
  await expect(officer.getByText(t('refusals', 'none.settled'))).toBeVisible();
  await shot(officer, 'refusals-none-desk');

  const nurse = await atDesk(browser);
  await signIn(nurse, 'Inès BENALI');
  expect(new Set(await prowl(nurse, 25))).toEqual(new Set([404]));
  expect(await nurse.evaluate(async () => (await fetch('/api/refusal-alarms')).status)).toBe(403);
  await nurse.goto('/pro/acces-refuses');
  await expect(nurse).toHaveURL(/\/pro$/);

  await expect
    .poll(async () => officer.evaluate(async () => ((await (await fetch('/api/refusal-alarms?state=open')).json()) as { open: number }).open), { timeout: 30_000 })
    .toBeGreaterThan(0);
  await officer.reload();
  const kind = t('refusals', 'kind.records');
  const row = officer.getByRole('listitem').filter({ hasText: kind }).filter({ hasText: 'Inès BENALI' });
  await expect(row).toContainText(/25 refus/);
  await expectGoodAtEveryWidth(officer, 'an alarm');
  await shot(officer, 'refusals-desk');
  await row.getByRole('link').focus();
  await officer.keyboard.press('Enter');
  await expect(officer.getByRole('heading', { level: 1, name: kind })).toBeVisible();
  await expect(officer.getByRole('region', { name: t('refusals', 'detail.list') }).getByRole('listitem').filter({ hasText: t('refusals', 'reason.not-found') })).toHaveCount(25);
  await expectGoodAtEveryWidth(officer, 'one alarm');
  await shot(officer, 'refusals-alarm-desk');

  // A second window of the same alarm is too late.
  const late = await officer.context().newPage();
  await late.goto(officer.url());
  await late.getByLabel(t('refusals', 'settle.reason')).fill('Vu aussi.');
  await officer.getByRole('button', { name: t('refusals', 'settle.save') }).click();
  await expect(officer.getByText(t('refusals', 'settle.required'))).toBeVisible();
  await officer.getByLabel(t('refusals', 'settle.reason')).fill('Échange avec Mme Benali : un outil de test mal réglé, arrêté.');
  await officer.getByRole('button', { name: t('refusals', 'settle.save') }).click();
  await expect(officer.getByText('un outil de test mal réglé')).toBeVisible();
  await late.getByRole('button', { name: t('refusals', 'settle.save') }).click();
  await expect(late.getByText(t('refusals', 'settle.late'))).toBeVisible();
  await expect(late.getByText('un outil de test mal réglé')).toBeVisible();
  await expect(late.getByText('Vu aussi.')).toBeVisible();
  await expectNoViolation(late, 'too late');
  await late.close();

  await officer.getByRole('link', { name: t('refusals', 'back') }).click();
  await officer.getByRole('tab', { name: t('refusals', 'tab.log') }).click();
  await officer.getByLabel(t('refusals', 'search.person')).selectOption({ label: 'Inès BENALI' });
  await officer.getByLabel(t('refusals', 'search.from'), { exact: true }).fill('31/02/2026');
  await officer.getByRole('button', { name: t('refusals', 'search.go') }).click();
  await expect(officer.getByText(t('refusals', 'search.bad'))).toBeVisible();
  await officer.getByLabel(t('refusals', 'search.from'), { exact: true }).fill('01/01/2026');
  await officer.getByRole('button', { name: t('refusals', 'search.go') }).click();
  await expect(officer.getByText(t('refusals', 'reason.capability-needed')).first()).toBeVisible();
  await speak(officer, 'en');
  await expect(officer.getByText(en('refusals', 'reason.not-found')).first()).toBeVisible();
  await expectGoodAtEveryWidth(officer, 'the log in English');
  await speak(officer, 'fr');

  // More than have a line of their own: the rest is listed by number.
  await prowl(nurse, 60, 100);
  await expect(async () => {
    await officer.goto('/pro/acces-refuses');
    await officer.getByRole('tab', { name: t('refusals', 'tab.log') }).click();
    await officer.getByText(/numéros essayés/).first().click({ timeout: 2000 });
    await expect(officer.getByText(/…000159/)).toBeVisible({ timeout: 1000 });
  }).toPass({ timeout: 30_000 });
  await expectGoodAtEveryWidth(officer, 'the log with a list');
  await shot(officer, 'refusals-list-desk');
  await officer.setViewportSize({ width: 360, height: 740 });
  await expectFits(officer, 'the log at 360 px');
  await shot(officer, 'refusals-log-phone');
  await officer.getByRole('tab', { name: t('refusals', 'tab.alarms') }).click();
  await shot(officer, 'refusals-phone');
  for (const page of [officer, nurse]) await page.context().close();
});
