import { defineConfig } from '@playwright/test';

/**
 * Journeys against a real server: VISAVIS_URL is its address, LINKS the path
 * of the links.json it wrote. The browser is the one of the system.
 */
export default defineConfig({
  testDir: '.',
  // Of its own: another run may go on beside, and a run clears its folder first.
  outputDir: `../test-results/${process.env.VISAVIS_RUN ?? 'by-hand'}`,
  // Generous: a machine of two cores with other tests beside it does slowly what it does.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  fullyParallel: false,
  workers: 1,
  reporter: [['list']],
  use: {
    baseURL: process.env.VISAVIS_URL ?? 'http://localhost:8080',
    locale: 'fr-FR',
    timezoneId: 'Europe/Paris',
    actionTimeout: 30_000,
    // A trace films every page: it starves the calls it would explain.
    trace: process.env.VISAVIS_TRACE ? 'retain-on-failure' : 'off',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--use-fake-ui-for-media-stream',
        // Encoding four people's pictures in software is most of what a call costs here; speeds are asked with VISAVIS_SOAK=1.
        `--use-fake-device-for-media-stream${process.env.VISAVIS_SOAK ? '' : '=fps=12'}`,
      ],
    },
  },
  // Its server asks who signs before the first signature of every session: scripts/e2e.sh stepup.
  projects: process.env.VISAVIS_SIGN_FOR ? [{ name: 'stepup', testMatch: /stepup\.spec/, use: { viewport: { width: 1440, height: 900 } } }] : [
    { name: 'phone', testIgnore: /(story|call|still|stepup|desk[\w.]*)\.spec/, use: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true } },
    { name: 'desk', testIgnore: /(story|stepup)\.spec/, use: { viewport: { width: 1440, height: 900 } } },
    { name: 'story', testMatch: /story\.spec/, use: { viewport: { width: 1440, height: 900 } } },
  ],
});
