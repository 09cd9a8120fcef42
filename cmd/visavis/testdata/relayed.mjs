// Puts two people into a call in Chromium and prints what they see: one line of JSON. With `check`, the first of them
// tries the connection on the page instead, and its rows are printed.
// Its orders come as JSON in RELAYED. Started by relayed_test.go, perhaps in a network of its own.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const o = JSON.parse(process.env.RELAYED);
const { chromium } = createRequire(o.modules)('playwright-core');
const script = readFileSync(o.script, 'utf8');
const browser = await chromium.launch({
  executablePath: o.chromium,
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
    '--disable-dev-shm-usage', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--autoplay-policy=no-user-gesture-required',
    `--ignore-certificate-errors-spki-list=${o.key}`, `--host-resolver-rules=MAP visavis.test ${o.address}`,
  ],
});
const deadline = Date.now() + 60_000;
/** What the page of the connection check says, when it is done. */
async function check() {
  const context = await browser.newContext({ locale: 'fr-FR', permissions: ['camera', 'microphone'] });
  await context.addCookies([{ name: '__Host-visavis', value: o.sessions[0], url: o.url, secure: true, httpOnly: true, sameSite: 'Lax' }]);
  const page = await context.newPage();
  await page.goto(`${o.url}/rdv`);
  await page.getByRole('button', { name: 'Tester ma connexion' }).click();
  const from = Date.now();
  await page.getByRole('heading', { level: 1, name: /^(Tout fonctionne|Quelque chose est à régler)$/ }).waitFor();
  const ms = Date.now() - from;
  if (o.shot) await page.screenshot({ path: o.shot });
  return { ms, title: await page.getByRole('heading', { level: 1 }).innerText(), rows: await page.getByRole('main').getByRole('listitem').allInnerTexts() };
}
const said = [];
try {
  const people = [];
  if (o.check) console.log(JSON.stringify(await check()));
  else for (const token of o.sessions) {
    const context = await browser.newContext();
    await context.addCookies([{ name: '__Host-visavis', value: token, url: o.url, secure: true, httpOnly: true, sameSite: 'Lax' }]);
    const page = await context.newPage();
    page.on('console', (m) => m.type() === 'error' && said.push(m.text()));
    await page.goto(`${o.url}/api/me`);
    await page.evaluate(script);
    await page.evaluate(([e, only]) => void window.person.begin(e, only), [o.encounter, o.only]);
    people.push(page);
  }
  let seen = [];
  if (!o.check) do {
    await new Promise((done) => setTimeout(done, 250));
    seen = await Promise.all(people.map((p) => p.evaluate(() => window.person.tell())));
  } while (!seen.every((s) => s.decoded > 30 && s.sent > 30 && s.heard > 50) && Date.now() < deadline);
  if (!o.check) console.log(JSON.stringify({ people: seen, said: said.slice(0, 5) }));
} finally {
  await browser.close();
}
