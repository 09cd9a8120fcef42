// Puts two people into a call in Chromium and prints what they see: one line of JSON.
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
const said = [];
try {
  const people = [];
  for (const token of o.sessions) {
    const context = await browser.newContext();
    await context.addCookies([{ name: '__Host-visavis', value: token, url: o.url, secure: true, httpOnly: true, sameSite: 'Lax' }]);
    const page = await context.newPage();
    page.on('console', (m) => m.type() === 'error' && said.push(m.text()));
    await page.goto(`${o.url}/api/me`);
    await page.evaluate(script);
    await page.evaluate(([e, only]) => void window.person.begin(e, only), [o.encounter, o.only]);
    people.push(page);
  }
  let seen;
  do {
    await new Promise((done) => setTimeout(done, 250));
    seen = await Promise.all(people.map((p) => p.evaluate(() => window.person.tell())));
  } while (!seen.every((s) => s.decoded > 30 && s.sent > 30 && s.heard > 50) && Date.now() < deadline);
  console.log(JSON.stringify({ people: seen, said: said.slice(0, 5) }));
} finally {
  await browser.close();
}
