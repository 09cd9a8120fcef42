import { expect, it } from 'vitest';
import { browserOf, outsideOf, type Browser } from './browser';
import { fixOf } from './problems';
import fr from '@/i18n/fr/diagnostics.json';
import en from '@/i18n/en/diagnostics.json';

const ios = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)';

it.each([
  ['Safari on iPhone', `${ios} Version/18.1 Mobile/15E148 Safari/604.1`, 0, 'ios', 'safariIos', null],
  ['Chrome on iPhone', `${ios} CriOS/130.0 Mobile/15E148 Safari/604.1`, 0, 'ios', 'otherIos', null],
  ['a bare web view of iOS', `${ios} Mobile/15E148`, 0, 'ios', 'safariIos', ''],
  ['Instagram on iPhone', `${ios} Mobile/15E148 Instagram 300.0`, 0, 'ios', 'safariIos', 'Instagram'],
  ['Facebook on Android', 'Mozilla/5.0 (Linux; Android 14; wv) Chrome/130 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/480]', 5, 'android', 'chromeAndroid', 'Facebook'],
  ['an unnamed web view of Android', 'Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 Version/4.0 Chrome/130 Mobile Safari/537.36', 5, 'android', 'chromeAndroid', ''],
  ['Chrome on Android', 'Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 Chrome/130 Mobile Safari/537.36', 5, 'android', 'chromeAndroid', null],
  ['an iPad that says it is a Mac', 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.1 Safari/605.1.15', 5, 'ios', 'safariIos', null],
  ['a Mac', 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.1 Safari/605.1.15', 0, 'desktop', 'safari', null],
  ['Firefox on Linux', 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0', 0, 'desktop', 'firefox', null],
  ['Samsung Internet', 'Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S911B) AppleWebKit/537.36 SamsungBrowser/26.0 Chrome/122 Mobile Safari/537.36', 5, 'android', 'samsung', null],
  ['Firefox on Android', 'Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0', 5, 'android', 'firefoxAndroid', null],
  ['Firefox on iPhone', `${ios} FxiOS/132.0 Mobile/15E148 Safari/605.1.15`, 5, 'ios', 'otherIos', null],
  ['Chromium on Linux', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150 Safari/537.36', 0, 'desktop', 'chrome', null],
  ['Edge', 'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/150 Safari/537.36 Edg/150', 0, 'desktop', 'chrome', null],
])('%s', (_name, userAgent, touchPoints, family, name, inApp) => {
  expect(browserOf(userAgent, touchPoints)).toEqual({ family, name, inApp });
});

const on = (family: Browser['family']): Browser => ({ family, name: 'chrome', inApp: '' });

it('has a way out of an application’s own view on a phone', () => {
  expect(outsideOf('https://a.example/rdv#tok', on('android'))).toBe('intent://a.example/rdv#tok#Intent;scheme=https;action=android.intent.action.VIEW;end');
  expect(outsideOf('https://a.example/rdv#tok', on('ios'))).toBe('x-safari-https://a.example/rdv#tok');
  expect(outsideOf('https://a.example/rdv#tok', on('desktop'))).toBeNull();
  expect(outsideOf('http://localhost/rdv#tok', on('android'))).toBeNull();
});

const causes = ['denied', 'dismissed', 'system', 'forbidden', 'missing', 'busy', 'unplugged', 'silent', 'interrupted', 'failed'] as const;
const browsers = ['safariIos', 'otherIos', 'chromeAndroid', 'samsung', 'firefoxAndroid', 'safari', 'firefox', 'chrome'] as const;

it.each(causes)('« %s » has its sentence and its fix for every browser, in both languages', (cause) => {
  for (const texts of [fr, en] as Record<string, string>[]) {
    for (const kind of ['microphone', 'camera']) expect(texts[`${kind}.${cause}`]).toBeTruthy();
    for (const name of browsers) {
      const family = /Ios$/.test(name) ? 'ios' : /Android|samsung/.test(name) ? 'android' : 'desktop';
      expect(texts[fixOf(cause, { family, name, inApp: null })]).toBeTruthy();
    }
  }
});
