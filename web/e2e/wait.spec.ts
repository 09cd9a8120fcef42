/**
 * Before the call and after it: the connection tried by the patient, waiting with an SMS to come back, and what the
 * secretary reads of both (M8, M11, rows 1 to 5).
 */
import { expect, test } from '@playwright/test';
import { expectGood } from './look';
import { atDesk, bookVisit, links, signIn, waitInRoom } from './people';
import { shot, smsOf } from './support';

test('a connection is tried in 15 s and its report read by the secretary; who waits may go and is called back (M8, M11, 4.1, 4.8)', async ({ page, context, browser }, info) => {
  test.setTimeout(300_000);
  await context.grantPermissions(['camera', 'microphone']);
  const phone = info.project.name === 'phone' ? '0639987761' : '0639987772';
  const secretary = await atDesk(browser);
  await signIn(secretary, 'Sophie LEROY');
  // Somebody waits before them: who is next and will be called in a minute is offered no SMS.
  const ahead = await bookVisit(secretary, /MARTIN/, `${phone.slice(0, -1)}9`, { familyName: 'AVANT', givenName: 'Paule', birthDate: '1950-05-05' });
  const visit = await bookVisit(secretary, /MARTIN/, phone, { familyName: 'PATIENTE', givenName: 'Anne-Lise', birthDate: '1948-02-28' });
  const other = await atDesk(browser);

  await test.step('the patient tests camera, microphone, loudspeaker and network', async () => {
    await page.goto(visit.join);
    await page.getByRole('button', { name: 'Tester ma connexion' }).click();
    const from = Date.now();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Tout fonctionne', { timeout: 60_000 });
    info.annotations.push({ type: 'connection check', description: `${Date.now() - from} ms` });
    // The 15 s are an idle machine's (VISAVIS_SOAK=1); on one that does other things, that it ends.
    expect(Date.now() - from).toBeLessThan(process.env.VISAVIS_SOAK ? 15_000 : 60_000);
    for (const row of ['Caméra', 'Micro', 'Connexion directe (UDP)', 'Connexion de secours (TCP)']) {
      await expect(page.getByRole('listitem').filter({ hasText: row })).toContainText('fonctionne');
    }
    await expect(page.getByRole('listitem').filter({ hasText: 'Débit' })).toContainText('Mb/s');
    await page.getByRole('button', { name: 'Écouter un son' }).click();
    await page.getByRole('button', { name: 'Oui' }).click();
    await expect(page.getByRole('listitem').filter({ hasText: 'Haut-parleur' })).toContainText('fonctionne');
    await expectGood(page);
    await shot(page, `check-good-${info.project.name}`);
    await page.getByRole('button', { name: 'Revenir au rendez-vous' }).click();
  });

  await test.step('a network that blocks everything is named, with what to do', async () => {
    await page.route('**/check/offer', (route) => route.fulfill({ status: 503, body: '{}' }));
    await page.getByRole('button', { name: 'Tester ma connexion' }).click();
    await expect(page.getByText('Ce réseau bloque la vidéo')).toBeVisible();
    await expectGood(page);
    await shot(page, `check-blocked-${info.project.name}`);
    await page.unroute('**/check/offer');
    await page.getByRole('button', { name: 'Revenir au rendez-vous' }).click();
  });

  await test.step('waiting: the place, and an SMS when it is nearly one’s turn', async () => {
    await waitInRoom(other, ahead.join);
    await page.getByRole('button', { name: /^C’est moi|^Préparer/ }).click();
    await page.getByRole('button', { name: 'Je suis d’accord' }).click();
    await expect(page.getByText('On vous voit.')).toBeVisible();
    await page.getByRole('button', { name: /salle d’attente/ }).click();
    await page.getByRole('button', { name: 'Me prévenir par SMS' }).click();
    await expect(page.getByText(`au numéro qui finit par ${phone.slice(-2)} quand`)).toBeVisible();
    await expectGood(page);
    await shot(page, `waiting-recall-${info.project.name}`);
  });

  await test.step('the secretary reads the tests', async () => {
    await secretary.goto(`/pro/encounters/${visit.encounterId}/qualite`);
    await expect(secretary.getByRole('heading', { name: 'Tests de connexion' })).toBeVisible();
    await expect(secretary.getByText('tout fonctionne').first()).toBeVisible();
    // Kept again when a device changed meanwhile.
    await expect(secretary.getByText(/Aucune connexion vidéo ne passe/).first()).toBeVisible();
    if (info.project.name === 'phone') await secretary.setViewportSize({ width: 360, height: 740 });
    await expectGood(secretary);
    await shot(secretary, `quality-checks-${info.project.name}`);
  });
  await other.context().close();
  await secretary.context().close();
  expect((await smsOf(links().sms, `+33${phone.slice(1)}`)).length).toBeGreaterThan(0);
});
