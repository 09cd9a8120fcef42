import { expect, it } from 'vitest';
import { browserOf } from './browser';

const ios = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)';

it.each([
  ['Safari on iPhone', `${ios} Version/18.1 Mobile/15E148 Safari/604.1`, 0, 'ios', null],
  ['Chrome on iPhone', `${ios} CriOS/130.0 Mobile/15E148 Safari/604.1`, 0, 'ios', null],
  ['a bare web view of iOS', `${ios} Mobile/15E148`, 0, 'ios', ''],
  ['Instagram on iPhone', `${ios} Mobile/15E148 Instagram 300.0`, 0, 'ios', 'Instagram'],
  ['Facebook on Android', 'Mozilla/5.0 (Linux; Android 14; wv) Chrome/130 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/480]', 5, 'android', 'Facebook'],
  ['an unnamed web view of Android', 'Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 Version/4.0 Chrome/130 Mobile Safari/537.36', 5, 'android', ''],
  ['Chrome on Android', 'Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 Chrome/130 Mobile Safari/537.36', 5, 'android', null],
  ['an iPad that says it is a Mac', 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.1 Safari/605.1.15', 5, 'ios', null],
  ['a Mac', 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.1 Safari/605.1.15', 0, 'desktop', null],
  ['Firefox on Linux', 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0', 0, 'desktop', null],
])('%s', (_name, userAgent, touchPoints, family, inApp) => {
  expect(browserOf(userAgent, touchPoints)).toEqual({ family, inApp });
});
