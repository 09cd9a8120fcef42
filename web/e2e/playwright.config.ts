import { defineConfig } from '@playwright/test';

/**
 * Journeys against a real server: VISAVIS_URL is its address, LINKS the path
 * of the links.json it wrote. The browser is the one of the system.
 */
export default defineConfig({
  testDir: '.',
  outputDir: '../test-results',
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
    trace: 'retain-on-failure',
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
        '--use-fake-device-for-media-stream',
      ],
    },
  },
  projects: [
    { name: 'phone', testIgnore: /(story|call|still|desk[\w.]*)\.spec/, use: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true } },
    { name: 'desk', testIgnore: /story\.spec/, use: { viewport: { width: 1440, height: 900 } } },
    { name: 'story', testMatch: /story\.spec/, use: { viewport: { width: 1440, height: 900 } } },
  ],
});
