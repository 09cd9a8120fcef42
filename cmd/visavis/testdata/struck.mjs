// Two people in a call in Chromium while roles of the program are struck down. Orders come as JSON in
// STRUCK, then one line on standard input for each question: what the longest time without a picture and
// without sound was since the last, and which states were shown. "reload" before it reloads the pages first and
// tells how long that took. One line of JSON answers each.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const o = JSON.parse(process.env.STRUCK);
const { chromium } = createRequire(o.modules)('playwright-core');
const script = readFileSync(o.script, 'utf8');
const browser = await chromium.launch({
  executablePath: o.chromium,
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update',
    '--disable-dev-shm-usage', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--autoplay-policy=no-user-gesture-required',
    '--disable-features=WebRtcHideLocalIpsWithMdns',
    ...(o.key ? [`--ignore-certificate-errors-spki-list=${o.key}`, `--host-resolver-rules=MAP visavis.test ${o.address}`] : []),
  ],
});
const enter = async (page) => {
  await page.evaluate(script);
  await page.evaluate((e) => void window.person.begin(e), o.encounter);
};
try {
  const people = [];
  for (const token of o.sessions) {
    const context = await browser.newContext();
    await context.addCookies([{ name: '__Host-visavis', value: token, url: o.url.replace('http:', 'https:'), secure: true, httpOnly: true, sameSite: 'Lax' }]);
    const page = await context.newPage();
    await page.goto(`${o.url}/api/me`);
    await enter(page);
    people.push(page);
  }
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) {
    const again = line.startsWith('reload ');
    const fresh = Number(line.replace('reload ', '')); // so many pictures of a connection that is up, before the answer
    const seen = await Promise.all(
      people.map(async (p) => {
        const began = Date.now();
        if (again) {
          await p.reload();
          await enter(p);
        }
        const said = await p.evaluate((n) => window.person.tell(n), fresh);
        return { ...said, fresh: [said.firstPicture - began, said.firstSound - began] };
      }),
    );
    console.log(JSON.stringify(seen));
  }
} finally {
  await browser.close();
}
