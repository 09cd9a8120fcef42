/** What matters of the browser for camera and microphone, from its user agent. */

export type Family = 'ios' | 'android' | 'desktop';
/** Browsers whose way back to the permission differs. */
export type BrowserName = 'safariIos' | 'otherIos' | 'chromeAndroid' | 'samsung' | 'firefoxAndroid' | 'safari' | 'firefox' | 'chrome';
export type Browser = {
  family: Family;
  name: BrowserName;
  /** Application whose built-in view shows the page, by its name, or `''` for one we cannot name; null in a real browser. */
  inApp: string | null;
};

const apps: readonly (readonly [RegExp, string])[] = [
  [/FBAN|FBAV|FB_IAB/, 'Facebook'],
  [/Instagram/, 'Instagram'],
  [/WhatsApp/, 'WhatsApp'],
  [/Snapchat/, 'Snapchat'],
  [/TikTok|musical_ly|BytedanceWebview/i, 'TikTok'],
  [/LinkedInApp/, 'LinkedIn'],
  [/Line\//, 'LINE'],
  [/MicroMessenger/, 'WeChat'],
  [/\bGSA\//, 'Google'],
  [/Outlook-(?:iOS|Android)/i, 'Outlook'],
];

/** `touchPoints` tells an iPad, which says it is a Mac, from a Mac. */
export function browserOf(userAgent: string, touchPoints = 0): Browser {
  const ios = /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && touchPoints > 1);
  const android = /Android/.test(userAgent);
  const family: Family = ios ? 'ios' : android ? 'android' : 'desktop';
  const name = nameOf(family, userAgent);
  const named = apps.find(([sign]) => sign.test(userAgent));
  if (named) return { family, name, inApp: named[1] };
  // A web view of Android says "; wv"; one of iOS lacks the word Safari.
  const androidView = android && /; wv\)/.test(userAgent);
  const iosView = /iPhone|iPad|iPod/.test(userAgent) && !/Safari\//.test(userAgent);
  return { family, name, inApp: androidView || iosView ? '' : null };
}

function nameOf(family: Family, userAgent: string): BrowserName {
  const firefox = /Firefox\//.test(userAgent);
  if (family === 'ios') return /CriOS|FxiOS|EdgiOS|OPT\//.test(userAgent) ? 'otherIos' : 'safariIos';
  if (family === 'android') return /SamsungBrowser/.test(userAgent) ? 'samsung' : firefox ? 'firefoxAndroid' : 'chromeAndroid';
  if (firefox) return 'firefox';
  return /Safari\//.test(userAgent) && !/Chrom(?:e|ium)\//.test(userAgent) ? 'safari' : 'chrome';
}

/**
 * An address that leaves the built-in view of an application for a real browser: Chrome by Android's `intent:` scheme,
 * Safari (iOS 17) by its own. Null where no such way exists; the link can still be copied.
 */
export function outsideOf(address: string, { family }: Browser): string | null {
  const bare = address.replace(/^https:\/\//, '');
  if (bare === address) return null;
  if (family === 'ios') return `x-safari-${address}`;
  return family === 'android' ? `intent://${bare}#Intent;scheme=https;action=android.intent.action.VIEW;end` : null;
}
