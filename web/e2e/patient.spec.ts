/**
 * The patient's pages against the demo clinic (VISAVIS_URL, LINKS), on a phone
 * and on a desk: what each page says, its failures, axe, zoom, keyboard.
 */
import { expect, test, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { expectGood, zoomTwice } from './look';
import { nextSms, shot, smsOf, typeCode } from './support';

interface Links {
  sms: string;
  patients: { patient: string; doctor: string; start: string; url: string }[];
}

const links: Links = JSON.parse(readFileSync(process.env.LINKS ?? '../data/links.json', 'utf8'));
const linkOf = (name: RegExp) => {
  const found = links.patients.find((p) => name.test(p.patient));
  if (!found) throw new Error(`no demo patient ${name}`);
  return found.url;
};

const title = (page: Page) => page.getByRole('heading', { level: 1 });
const times = (page: Page) => page.getByRole('button', { name: / à \d+\sh/ });

test.beforeEach(async ({ page }) => {
  const broken: string[] = [];
  page.on('pageerror', (e) => broken.push(e.message));
  page.on('console', (m) => {
    if (m.type() === 'error' && /Content Security Policy/.test(m.text())) broken.push(m.text());
  });
  (page as Page & { broken?: string[] }).broken = broken;
});

test.afterEach(async ({ page }) => {
  expect((page as Page & { broken?: string[] }).broken).toEqual([]);
});

test('finds a doctor by specialty and by name, and says when there is none (B8, B10)', async ({ page }, info) => {
  await page.goto('/');
  await expect(title(page)).toHaveText('Consulter un professionnel de santé en vidéo');
  await expect(page.getByText('2 professionnels')).toBeVisible();
  await expectGood(page);
  await shot(page, `patient-find-${info.project.name}`);
  await page.getByLabel('Spécialité').selectOption({ label: 'Dermatologie' });
  await expect(page.getByText('1 professionnel', { exact: true })).toBeVisible();
  await page.getByLabel('Nom du professionnel').fill('zzz');
  await expect(page.getByText('Aucun professionnel ne correspond')).toBeVisible();
  await zoomTwice(page);
  await expectGood(page);
});

test('shows the price before confirming, checks five fields, books once (B11, B19)', async ({ page }, info) => {
  await page.goto('/');
  await page.getByRole('link', { name: /Claire MARTIN/ }).click();
  await expect(title(page)).toHaveText(/Claire MARTIN/);
  await expect(page.getByText(/^Pour un adulte : \d.* après l’Assurance maladie, dont \d.* que votre mutuelle peut payer$/)).toBeVisible();
  await expectGood(page);
  await page.locator('details', { hasText: 'horaire' }).nth(1).locator('summary').click();
  await times(page).last().click();
  await expect(title(page)).toHaveText('Réserver');
  expect(await page.locator('form input, form select').count()).toBeLessThanOrEqual(5);
  await expect(page.getByText(/^Pour un adulte : \d.* après l’Assurance maladie, dont \d.* que votre mutuelle peut payer$/)).toBeVisible();

  await page.getByRole('button', { name: 'Continuer' }).click();
  await expect(page.getByText('À remplir')).toHaveCount(3);
  await expect(page.getByLabel('Nom de naissance')).toBeFocused();
  await expectGood(page);

  await page.getByLabel('Nom de naissance').fill('Durand-Delacroix');
  await page.getByLabel('Premier prénom').fill('Marie-Christine');
  await page.getByLabel('Date de naissance').pressSequentially('04031952');
  await expect(page.getByLabel('Date de naissance')).toHaveValue('04/03/1952');
  await expect(page.getByText(/^\d.* après l’Assurance maladie, dont \d.* que votre mutuelle peut payer$/)).toBeVisible();
  // A wrong number is corrected without typing the rest again; a reload loses nothing.
  const number = info.project.name === 'phone' ? '+33639987701' : '+33639987702';
  await page.getByLabel('Téléphone mobile').fill('06 39 98 77 09');
  // Slow enough for the second click to find the next step under it.
  await page.getByRole('button', { name: 'Continuer' }).dblclick({ delay: 120 });
  await expect(page.getByText(/Un code (à huit chiffres part|est déjà parti) par SMS au/)).toBeVisible();
  await page.getByRole('button', { name: 'Corriger mes coordonnées' }).click();
  await expect(page.getByLabel('Nom de naissance')).toHaveValue('Durand-Delacroix');
  const before = (await smsOf(links.sms, number)).length;
  await page.getByLabel('Téléphone mobile').fill(number);
  await page.getByRole('button', { name: 'Continuer' }).click();
  await expect(page.getByLabel('Code à huit chiffres')).toBeFocused();
  await expectGood(page);
  await shot(page, `patient-code-${info.project.name}`);
  await page.getByLabel('Code à huit chiffres').fill('123');
  await page.getByRole('button', { name: /^Réserver/ }).click();
  await expect(page.getByText('Écrivez les huit chiffres du message')).toBeVisible();
  await page.reload();
  await typeCode(page, links.sms, number, before);
  await expect(title(page)).toHaveText('C’est réservé');
  await expect(page.getByText(/Le lien de la consultation part par SMS/)).toBeVisible();
  await expectGood(page);
  await shot(page, `patient-booked-${info.project.name}`);
});

test('keeps what was typed and proven when another person was faster', async ({ page, browser }, info) => {
  await page.goto('/');
  await page.getByRole('link', { name: /Hugo/ }).click();
  await page.locator('details', { hasText: 'horaire' }).nth(2).locator('summary').click();
  await times(page).last().click();
  const other = await browser.newPage();
  await other.goto(page.url());
  const end = info.project.name === 'phone' ? '1' : '2';
  const fill = async (p: Page, name: string, number: string) => {
    await p.getByLabel('Nom de naissance').fill(name);
    await p.getByLabel('Premier prénom').fill('Zoé');
    await p.getByLabel('Date de naissance').fill('04/03/1952');
    await p.getByLabel('Téléphone mobile').fill(number);
    const before = (await smsOf(links.sms, number)).length;
    await p.getByRole('button', { name: 'Continuer' }).click();
    await expect(p.getByLabel('Code à huit chiffres')).toBeVisible();
    return before;
  };
  const [mine, theirs] = [`+336399877${end}1`, `+336399877${end}2`];
  const before = await fill(page, 'Second', mine);
  await typeCode(other, links.sms, theirs, await fill(other, 'Premier', theirs));
  await expect(title(other)).toHaveText('C’est réservé');
  await typeCode(page, links.sms, mine, before);
  await expect(page.getByText('Une autre personne vient de prendre cet horaire.')).toBeVisible();
  await expect(page.getByText('Les horaires libres les plus proches')).toBeVisible();
  await expect(page.getByText('Une autre personne vient de prendre cet horaire.')).toBeInViewport();
  await expect(page.getByRole('group').filter({ hasText: 'Une autre personne vient de prendre cet horaire.' })).toBeFocused();
  await expect(page.getByRole('button', { name: /^Réserver/ })).toHaveCount(0);
  await expectGood(page);
  await shot(page, `patient-near-${info.project.name}`);
  await times(page).first().click();
  await page.getByRole('button', { name: /^Réserver/ }).click();
  await expect(title(page)).toHaveText('C’est réservé');
  await other.close();
});

test('opens a link: card, consent, devices, waiting room; a reload keeps the place (A6, A7, A8, A9)', async ({ page, context }, info) => {
  await context.grantPermissions(['camera', 'microphone']);
  const url = linkOf(info.project.name === 'phone' ? /PAT-TROIS/ : /DIALLO/);
  await page.goto(url);
  await expect(page.getByText(/Rendez-vous de/)).toBeVisible();
  expect(page.url()).not.toContain('#');
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state, document.cookie]));
  expect(kept).not.toContain(new URL(url).hash.slice(1));
  await expectGood(page);
  await shot(page, `patient-card-${info.project.name}`);

  await page.getByRole('button', { name: /^C’est moi/ }).click();
  await expect(title(page)).toHaveText(/Votre accord/);
  await expectGood(page);
  await shot(page, `patient-consent-${info.project.name}`);
  await page.getByRole('button', { name: 'Je suis d’accord' }).click();

  await expect(page.getByText('On vous voit.')).toBeVisible();
  await expect(page.getByRole('meter', { name: 'Niveau du micro' })).toBeVisible();
  await expectGood(page);
  await shot(page, `patient-devices-${info.project.name}`);
  await page.getByRole('button', { name: /salle d’attente/ }).click();

  await expect(title(page)).toHaveText('Salle d’attente');
  await expect(page.getByText(/Votre place est gardée jusqu’à/)).toBeVisible();
  await expectGood(page);
  await shot(page, `patient-waiting-${info.project.name}`);
  await page.reload();
  await expect(page.getByText(/Votre place est gardée jusqu’à/)).toBeVisible();

  await page.getByRole('button', { name: 'Quitter la salle d’attente' }).click();
  await expect(title(page)).toHaveText('Vous avez quitté la consultation');
});

test('sends a code to the parent on file of a minor, who then refuses (C6)', async ({ page }, info) => {
  test.skip(info.project.name !== 'phone', 'the answer of the one demo minor is given once');
  await page.goto(linkOf(/MOREAU/));
  await page.getByRole('button', { name: /(Entrer dans|Préparer) la consultation/ }).click();
  await expect(page.getByRole('button', { name: 'Je ne suis pas d’accord' })).toHaveCount(0); // nobody has proven who they are
  await expect(page.getByRole('group', { name: 'Qui donne l’accord' })).toBeVisible();
  await expectGood(page);
  await shot(page, `patient-representative-${info.project.name}`);
  const mother = '+33611000004';
  const before = (await smsOf(links.sms, mother)).length;
  await page.getByRole('button', { name: 'Envoyer le code' }).click();
  const code = (await nextSms(links.sms, mother, before, /\b\d{6}\b/)).match(/\b\d{6}\b/)![0];
  await page.getByLabel('Code à six chiffres').fill(code);
  await page.getByRole('button', { name: 'Continuer avec ce code' }).click();
  await expect(page.getByText(/Vous êtes Julie MOREAU, mère de LÉA/)).toBeVisible();
  await expectGood(page);
  await page.getByRole('button', { name: 'Je ne suis pas d’accord' }).click();
  await expect(title(page)).toHaveText('Vous n’êtes pas d’accord');
  await expectGood(page);
});

test('moves and cancels with the same link (B8)', async ({ page }, info) => {
  test.skip(info.project.name !== 'phone', 'one appointment, cancelled once');
  await page.goto(linkOf(/O.BRIEN/));
  await page.getByRole('button', { name: 'Déplacer' }).click();
  await page.locator('details', { hasText: 'horaire' }).nth(3).locator('summary').click();
  await times(page).last().click();
  await page.getByRole('dialog').getByRole('button', { name: /^Choisir/ }).click();
  await expect(page.getByText(/Rendez-vous de/)).toBeVisible();
  await page.getByRole('button', { name: 'Annuler le rendez-vous' }).click();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.getByRole('button', { name: 'Annuler le rendez-vous' }).click();
  await expectGood(page);
  await page.getByRole('dialog').getByRole('button', { name: 'Annuler le rendez-vous' }).click();
  await expect(title(page)).toHaveText('Ce rendez-vous est annulé');
});

test('guards documents behind a code, and says what to do without a link (I3)', async ({ page }, info) => {
  await page.goto('/documents');
  await expect(page.getByText(/ouvrez d’abord le lien/)).toBeVisible();
  await expectGood(page);
  await page.goto(linkOf(/LEFÈVRE/));
  await page.getByRole('link', { name: 'Voir mes documents' }).click();
  await expect(page.getByRole('button', { name: 'Envoyer le code' })).toBeVisible();
  await expectGood(page);
  await shot(page, `patient-code-${info.project.name}`);
});

test('invites a relative, and takes the invitation back (B13)', async ({ page }, info) => {
  await page.goto(linkOf(/LEFÈVRE/));
  await page.getByRole('button', { name: 'Inviter un proche' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Envoyer l’invitation' }).click();
  await expect(dialog.getByText('Écrivez le nom de la personne.')).toBeVisible();
  await expect(dialog.getByText(/Écrivez un numéro de mobile/)).toBeVisible();
  await expect(dialog.getByLabel('Nom et prénom')).toBeFocused();
  await expectGood(page);
  await dialog.getByLabel('Nom et prénom').fill('Awa N’Guessan');
  await dialog.getByLabel('Téléphone mobile ou adresse e-mail').fill('awa@exemple.test');
  await dialog.getByRole('button', { name: 'Envoyer l’invitation' }).click();
  await expect(dialog.getByText(/^Le lien part vers/)).toBeVisible();
  const back = dialog.getByRole('button', { name: /^Retirer l’invitation de Awa/ });
  await expect(back).toBeVisible();
  await expectGood(page);
  await shot(page, `patient-invites-${info.project.name}`);
  await back.click();
  await expect(back).toHaveCount(0);
  await dialog.getByRole('button', { name: 'Fermer' }).click();
  await expect(dialog).toHaveCount(0);
});

test('answers a wrong link, a lost link, an unknown prescription and a wrong address', async ({ page }, info) => {
  await page.goto(`/rdv#${'A'.repeat(43)}`);
  await expect(page.getByText('Ce lien n’est pas reconnu.')).toBeVisible();
  await expectGood(page);
  await page.getByRole('link', { name: 'Retrouver mon lien' }).click();
  await page.getByRole('button', { name: 'Envoyer un nouveau lien' }).click();
  await expect(page.getByText(/Écrivez un numéro de mobile/)).toBeVisible();
  await expectGood(page);
  await page.getByLabel('Téléphone mobile ou adresse e-mail').fill('06 39 98 00 00');
  await page.getByRole('button', { name: 'Envoyer un nouveau lien' }).click();
  await expect(title(page)).toHaveText('Regardez vos messages');
  await page.getByRole('button', { name: 'Essayer un autre contact' }).click();
  await page.getByRole('button', { name: 'Envoyer un nouveau lien' }).click();
  await expect(page.getByText(/Un lien a déjà été demandé pour ce contact.*Aucun autre n’est parti/)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Envoyer un autre lien' })).toHaveAttribute('aria-disabled', 'true');
  await expect(page.getByText(/Vous pourrez en demander un autre dans \d+ secondes?\./)).toBeVisible();
  await expectGood(page);
  await shot(page, `patient-lost-link-${info.project.name}`);
  await page.goto('/v/inconnu');
  await expect(page.getByText('Ordonnance introuvable')).toBeVisible();
  await expectGood(page);
  await page.goto('/nulle-part');
  await expect(title(page)).toHaveText('Cette page n’existe pas');
  await expectGood(page);
});

test('speaks English when asked, and says a network that is gone', async ({ page, context }) => {
  await page.goto('/');
  await page.getByRole('button', { name: 'English' }).click();
  await expect(title(page)).toHaveText('See a health professional by video');
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await context.setOffline(true);
  await expect(page.getByText('No internet connection.', { exact: false })).toBeVisible();
  await expectGood(page);
  await context.setOffline(false);
  await expect(page.getByText('No internet connection.', { exact: false })).toHaveCount(0);
});

test('can be used with the keyboard alone', async ({ page }, info) => {
  test.skip(info.project.name !== 'desk', 'phones have no Tab key');
  await page.goto('/');
  await expect(page.getByText('2 professionnels')).toBeVisible();
  await page.keyboard.press('Tab');
  // The heading takes the focus of a new page; the next stop is the first field.
  await expect(page.getByLabel('Spécialité')).toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.type('martin');
  await expect(page.getByText('1 professionnel', { exact: true })).toBeVisible();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(title(page)).toHaveText(/MARTIN/);
  await page.getByRole('button', { name: 'Voir les jours suivants' }).focus();
  await expect(page.getByRole('button', { name: 'Voir les jours suivants' })).toHaveCSS('outline-style', 'solid');
});
