/**
 * The professional's pages without a mouse, without eyes, without motion
 * (issue 2, "The web"): one whole consultation by keyboard alone, a booking on
 * the phone by keyboard alone, what a screen reader is told, and every address
 * of the product for a person who asked for less motion.
 */
import { expect, test, type Page } from '@playwright/test';
import { expectFocusKept, expectNamed, hears, listen, longestMotion, press, tabTo, tree, type } from './hands';
import { expectGoodAtEveryWidth } from './look';
import { anyQuality, atDesk, bookVisit, links, phone, signIn, speak, tooLate, waitInRoom, wordsIn } from './people';
import { table, type World } from './routes';
import { flows } from './support';

const t = wordsIn('fr');

test('a whole consultation by keyboard alone, as a screen reader hears it', async ({ browser }) => {
  test.setTimeout(420_000);
  const secretary = await atDesk(browser);
  await signIn(secretary, 'Sophie LEROY');
  const visit = await bookVisit(secretary, /DUPRÉ-LACROIX/, '0639980102', { familyName: 'LE GUENNEC', givenName: 'Soizic', birthDate: '1971-11-05' });
  await secretary.context().close();
  test.skip(!visit.today, tooLate);
  const page = await atDesk(browser);
  const patient = await atDesk(browser, undefined, phone);
  await listen(page.context());
  await listen(patient.context());
  const sockets = await cuttable(page);
  const { patient: name } = visit;

  await test.step('signs in', async () => {
    await page.goto('/pro');
    await tabTo(page, page.getByRole('link', { name: t('pro', 'signIn.psc') }));
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Hugo DUPRÉ-LACROIX' }).waitFor();
    await tabTo(page, page.getByRole('button', { name: 'Hugo DUPRÉ-LACROIX' }));
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/pro$/);
    await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
  });

  await test.step('sees who waits, and lets them in', async () => {
    await press(page, page.locator(`a[href="/pro/encounters/${visit.encounterId}"]`));
    await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
    await page.getByText(t('encounter', 'scene.alone')).waitFor();
    await waitInRoom(patient, visit.join);
    await hears(page, t('encounter', 'say.waits', { name }));
    await press(page, page.getByRole('button', { name: t('encounter', 'door.admitName', { name }) }));
    await page.getByText(anyQuality(t)).waitFor({ timeout: 60_000 });
    await expect.poll(async () => (await flows(page)).frames, { timeout: 60_000 }).toBeGreaterThan(0);
    await expectFocusKept(page, 'the call began');
    await hears(page, t('call', 'came', { name, role: t('call', 'role.patient') }));
    await hears(patient, t('waiting', 'admitted'));
  });

  await test.step('every control of the call has its name', async () => {
    const names = await expectNamed(page);
    const wanted = [t('call', 'mic.off'), t('call', 'camera.off'), t('call', 'share.on'), t('call', 'chat.open'), t('encounter', 'end.title.all'), t('call', 'self.move')];
    expect(names).toEqual(expect.arrayContaining(wanted));
    const nodes = await tree(page);
    expect(nodes).toContainEqual({ role: 'toolbar', name: t('call', 'controls') });
    expect(nodes).toContainEqual({ role: 'Video', name: t('call', 'pictureOf', { name, role: t('call', 'role.patient') }) });
    const theirs = await expectNamed(patient);
    expect(theirs).toEqual(expect.arrayContaining([t('call', 'mic.off'), t('call', 'camera.off'), t('call', 'chat.open'), t('call', 'leave.long')]));
  });

  await test.step('confirms who it is', async () => {
    await press(page, page.getByRole('button', { name: t('encounter', 'identify.face') }));
    await page.getByText(t('encounter', 'identified.face-and-name')).waitFor();
    await expectFocusKept(page, 'the identity was confirmed');
  });

  await test.step('mutes, closes the camera, opens both again', async () => {
    for (const device of ['mic', 'camera']) {
      await press(page, page.getByRole('button', { name: t('call', `${device}.off`) }), { way: 'Shift+Tab' });
      const on = page.getByRole('button', { name: t('call', `${device}.on`) });
      await expect(on).toBeFocused();
      await page.keyboard.press(' ');
      await expect(page.getByRole('button', { name: t('call', `${device}.off`) })).toBeFocused();
      await page.keyboard.press('End');
    }
  });

  await test.step('writes and reads messages', async () => {
    await press(page, page.getByRole('button', { name: t('call', 'chat.open') }));
    await expect(page.getByLabel(t('call', 'chat.write'))).toBeFocused();
    await page.keyboard.type('Vous m’entendez ?');
    await page.keyboard.press('Enter');
    await expect(page.getByLabel(t('call', 'chat.write'))).toHaveValue('');
    await hears(patient, /Message de .*Vous m’entendez/);
    await press(page, page.getByRole('button', { name: t('call', 'chat.close') }), { way: 'Shift+Tab' });
    await expect(page.getByRole('button', { name: t('call', 'chat.open') })).toBeFocused();
    await patient.getByRole('button', { name: /non lu|Écrire et lire/ }).click();
    await patient.getByLabel(t('call', 'chat.write')).fill('Oui, très bien.');
    await patient.getByRole('button', { name: t('call', 'chat.send') }).click();
    await hears(page, new RegExp(`Message de .*: Oui, très bien`));
  });

  await test.step('hears that the connection goes and comes back', async () => {
    sockets.cut();
    await hears(page, t('call', 'reconnecting'));
    sockets.mend();
    await hears(page, t('call', 'back'));
  });

  await test.step('writes the report', async () => {
    for (const field of ['motive', 'text', 'conclusion', 'followUp']) await type(page, page.getByLabel(t('report', `field.${field}`)), 'Toux depuis trois jours.');
  });

  await test.step('adds a medicine', async () => {
    await tabTo(page, page.getByRole('tab', { name: t('encounter', 'tab.report') }), 'Shift+Tab');
    await page.keyboard.press('ArrowRight');
    await press(page, page.getByRole('button', { name: t('prescription', 'new') }));
    await expect(page.getByRole('menuitem', { name: t('prescription', 'category.medicines') })).toBeFocused();
    await page.keyboard.press('Enter');
    const search = page.getByRole('combobox', { name: t('prescription', 'search.label') });
    await search.waitFor();
    await expectFocusKept(page, 'a sheet was added');
    await type(page, search, 'paracetamol', 'Shift+Tab');
    await page.getByRole('option').first().waitFor();
    await hears(page, /médicaments? proposés?/);
    await page.keyboard.press('ArrowDown');
    await expect(page.getByRole('option').first()).toHaveAttribute('aria-selected', 'true');
    await page.keyboard.press('Enter');
    await expect(page.getByLabel(t('prescription', 'dosage.amount'))).toBeFocused();
    await tabTo(page, page.getByLabel(t('prescription', 'dosage.when')));
    await page.keyboard.press('ArrowDown');
    await expectFocusKept(page, 'when was chosen');
    await type(page, page.getByLabel(t('prescription', 'field.durationDays')), '5');
    await type(page, page.getByLabel(t('prescription', 'field.quantity')), '2');
  });

  await test.step('ends: thinks again, then ends', async () => {
    const end = page.getByRole('button', { name: t('encounter', 'end.title.all') });
    await press(page, end, { way: 'Shift+Tab' });
    await expect(page.getByRole('dialog').getByRole('button', { name: t('encounter', 'end.confirm.all') })).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(end).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog').getByRole('button', { name: t('encounter', 'end.confirm.all') })).toBeFocused();
    await page.keyboard.press('Enter');
    await page.getByText(t('encounter', 'close.title')).waitFor();
    await expectFocusKept(page, 'the call ended');
  });

  await test.step('signs', async () => {
    await press(page, page.getByRole('button', { name: t('encounter', 'sign.action') }));
    await page.getByText(t('encounter', 'sign.done')).first().waitFor({ timeout: 60_000 });
    await hears(page, t('encounter', 'sign.done'));
    await expectFocusKept(page, 'the signature');
  });
  await page.context().close();
  await patient.context().close();
});

test('the secretary books on the phone by keyboard alone', async ({ browser }) => {
  const page = await atDesk(browser);
  await listen(page.context());
  await signIn(page, 'Sophie LEROY');
  const free = page.getByRole('button', { name: new RegExp(`^${t('agenda', 'bookAt', { time: '' })}`) }).first();
  const night = page.getByRole('button', { name: t('agenda', 'night.show') });
  const nothing = page.getByText(t('agenda', 'nothing')).first();
  await free.or(night).or(nothing).or(page.getByText('Claire MARTIN').first()).first().waitFor(); // in the last hour all may be taken
  if (!(await free.isVisible()) && (await night.isVisible())) await press(page, night); // in the evening
  test.skip(!(await free.isVisible()), tooLate);
  await press(page, free);
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('combobox', { name: t('patients', 'search.label') })).toBeFocused();
  await press(page, dialog.getByRole('button', { name: t('agenda', 'book.new') }));
  await expect(dialog.getByLabel(t('agenda', 'field.familyName'))).toBeFocused();
  await page.keyboard.type('Kerbrat');
  await page.keyboard.press('Enter');
  await expect(dialog.getByText(t('agenda', 'missing.required')).first()).toBeVisible();
  await expect(dialog.getByLabel(t('agenda', 'field.givenName'))).toBeFocused();
  await page.keyboard.type('Yann');
  await type(page, dialog.getByLabel(t('agenda', 'field.birthDate')), '12/12/1985');
  await type(page, dialog.getByLabel(t('agenda', 'field.phone')), '06 39 98 01 03');
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('heading', { name: t('agenda', 'book.done') })).toBeVisible();
  await expect(dialog.getByRole('button', { name: t('agenda', 'close') })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(dialog).toHaveCount(0);
  await expectFocusKept(page, 'the booking');

  const booked = page.getByRole('button', { name: /Yann K/i }).last();
  await press(page, booked);
  await expect(dialog.getByRole('button', { name: t('agenda', 'deed.link') })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(booked).toBeFocused();
  await page.context().close();
});

test('every address of the product, with less motion, in both languages', async ({ browser }) => {
  test.setTimeout(420_000);
  const still = { reducedMotion: 'reduce' as const };
  const secretary = await atDesk(browser, undefined, still);
  await signIn(secretary, 'Sophie LEROY');
  const visit = await bookVisit(secretary, /DUPRÉ-LACROIX/, '0639980104', { familyName: 'ATTAL', givenName: 'Rose', birthDate: '1999-01-31' });
  const doctor = await atDesk(browser, undefined, still);
  await signIn(doctor, 'Hugo DUPRÉ-LACROIX');
  const officer = await atDesk(browser, undefined, still);
  await signIn(officer, 'Nadia ROCHER');
  const patient = await atDesk(browser, undefined, still);
  const anyone = await atDesk(browser, undefined, still);
  const { items } = (await (await fetch(`${new URL(links().professional).origin}/api/practitioners`)).json()) as { items: { id: string }[] };
  const world: World = { doctorId: items[0]!.id, link: visit.join, encounterId: visit.encounterId };
  const pages: Record<string, Page> = { anyone, patient, secretary, doctor, officer };
  for (const row of table) {
    const page = pages[row.who]!;
    await page.goto(row.open(world));
    for (const language of ['fr', 'en'] as const) {
      if (language === 'en') await speak(page, 'en');
      await expect(page.getByRole('heading', { level: 1 })).toHaveText(/./);
      await expect(page.locator('[aria-busy="true"]')).toHaveCount(0);
      await expectGoodAtEveryWidth(page, `${row.path} in ${language}`);
      await expectNamed(page);
      const motion = await longestMotion(page);
      expect.soft(motion.seconds, `${row.path}: ${motion.where}`).toBeLessThanOrEqual(0.01);
    }
    await speak(page, 'fr');
  }
  for (const page of Object.values(pages)) await page.context().close();
});

/** The live side of a page goes through here, so that it can be cut and mended. */
async function cuttable(page: Page) {
  const open = new Set<{ close: (o: { code: number }) => Promise<void> }>();
  let shut = false;
  await page.routeWebSocket(/\/api\/live/, (ws) => {
    if (shut) return void ws.close({ code: 4100 });
    const server = ws.connectToServer();
    open.add(ws);
    ws.onMessage((m) => server.send(m));
    server.onMessage((m) => ws.send(m));
  });
  return {
    cut() {
      shut = true;
      for (const ws of open) void ws.close({ code: 4100 });
      open.clear();
    },
    mend() {
      shut = false;
    },
  };
}
