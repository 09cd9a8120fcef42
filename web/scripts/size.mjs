// Measures what a patient's join page (/rdv) loads in all, compressed as it is
// served, and fails above the budget: entry, the page and everything it may
// load later (call, media engine), the catalogues of one language, styles,
// fonts. Every browser of the build's targets takes Brotli; the few that ask
// through something that does not get gzip, which is printed beside it.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

/** Bytes, compressed (house.md §7: 150 kB, fonts included). */
const budget = 150 * 1000;
const page = 'JoinPage';
/**
 * The proof of an answer, of a minor's representative only, or of a host who writes to one person and of who wrote too much; or
 * opened on demand, from the card or when the doctor asks for a photo, not on the way to the doctor; fetched in the
 * call once it stands, for when it moves to another server or its network does; or fetched with a camera that has a lamp.
 */
const apart = ['rtc/standing.ts', 'rtc/extras.ts', 'src/features/call/Lamp.tsx', 'src/features/call/ChatExtras.tsx', 'src/features/consent/Representative.tsx', 'src/features/consent/ConsentProof.tsx', 'src/features/waiting/MovePage.tsx', 'src/features/companion/CompanionDialog.tsx', 'src/features/companion/AttendPage.tsx', 'src/features/still/StillSheet.tsx'];
const namespaces = ['app', 'problems', 'join', 'consent', 'diagnostics', 'waiting', 'call'];

const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'));
const files = new Map();
const seen = new Set();
let gzip = 0;

function weigh(file) {
  if (files.has(file)) return;
  const bytes = readFileSync(new URL(file, dist));
  const done = file.endsWith('.woff2'); // compressed already
  files.set(file, done ? bytes.length : readFileSync(new URL(`${file}.br`, dist)).length);
  gzip += done ? bytes.length : gzipSync(bytes, { level: 9 }).length;
}

function walk(key, dynamic) {
  if (seen.has(key)) return;
  seen.add(key);
  const chunk = manifest[key];
  if (!chunk) throw new Error(`${key} is not in the build: run "npm run build"`);
  weigh(chunk.file);
  for (const file of [...(chunk.css ?? []), ...(chunk.assets ?? [])]) weigh(file);
  for (const next of chunk.imports ?? []) walk(next, dynamic && next !== 'index.html');
  if (dynamic) for (const next of chunk.dynamicImports ?? []) if (!apart.includes(next)) walk(next, true);
}

weigh('index.html');
walk('index.html', false);
walk(Object.keys(manifest).find((key) => manifest[key].name === page) ?? page, true);
for (const namespace of namespaces) walk(`src/i18n/fr/${namespace}.json`, false);

const rows = [...files].sort((a, b) => b[1] - a[1]);
const total = rows.reduce((sum, [, bytes]) => sum + bytes, 0);
for (const [file, bytes] of rows) console.log(`${(bytes / 1000).toFixed(1).padStart(7)} kB  ${file}`);
console.log(`${(total / 1000).toFixed(1).padStart(7)} kB  in all, budget ${budget / 1000} kB; ${(gzip / 1000).toFixed(1)} kB for who takes gzip only`);
if (total > budget) {
  console.error('The join page is too heavy.');
  process.exitCode = 1;
}
