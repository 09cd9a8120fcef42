/** A professional of two places signs in, says which, signs out here and at Pro Santé Connect. */
import { expect, test, type Page } from '@playwright/test';
import { expectGood, zoomTwice } from './look';
import { shot } from './support';

const title = (page: Page) => page.getByRole('heading', { level: 1 });

async function arrive(page: Page) {
  await page.goto('/pro');
  await page.getByText('Se connecter avec Pro Santé Connect').click();
  await page.getByRole('button', { name: 'Karim HADDAD' }).click();
  await expect(title(page)).toHaveText('Où travaillez-vous aujourd’hui ?');
}

test('says where they work, by keyboard, in both languages, and leaves (interop §2.4)', async ({ page }, info) => {
  await arrive(page);
  await expect(page.getByText('Vous êtes connecté comme Karim HADDAD.')).toBeVisible();
  await expect(page.getByRole('button', { name: /Maison de santé des Lilas/ })).toBeVisible();
  await expectGood(page);
  await shot(page, `situation-${info.project.name}`);
  await page.getByRole('button', { name: 'English' }).click();
  await expect(title(page)).toHaveText('Where are you working today?');
  await expectGood(page);
  await shot(page, `situation-en-${info.project.name}`);
  const size = page.viewportSize();
  await zoomTwice(page);
  await expectGood(page);
  if (size) await page.setViewportSize(size);
  const pharmacy = page.getByRole('button', { name: /Pharmacie du Marché/ });
  await pharmacy.focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/pro$/);
  await expect(page.getByText('Pharmacie du Marché')).toBeVisible();

  const leaving = page.waitForRequest((r) => r.url().includes('/protocol/openid-connect/logout?') && r.url().includes('id_token_hint='));
  await page.getByRole('button', { name: 'Sign out' }).click();
  await leaving;
  await page.waitForURL(/\/pro$/);
  // Signing out empties the browser's storage, the chosen language too.
  await expect(title(page)).toHaveText('Espace des professionnels');
});

test('too late, or from nowhere, the sign-in begins again', async ({ page }) => {
  await page.goto('/pro/situation');
  await expect(page.getByText('La connexion a pris trop de temps.')).toBeVisible();
  await expectGood(page);
});
