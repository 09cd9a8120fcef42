/** What matters of the browser for camera and microphone, from its user agent. */

export type Family = 'ios' | 'android' | 'desktop';
export type Browser = {
  family: Family;
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
  const named = apps.find(([sign]) => sign.test(userAgent));
  if (named) return { family, inApp: named[1] };
  // A web view of Android says "; wv"; one of iOS lacks the word Safari.
  const androidView = android && /; wv\)/.test(userAgent);
  const iosView = /iPhone|iPad|iPod/.test(userAgent) && !/Safari\//.test(userAgent);
  return { family, inApp: androidView || iosView ? '' : null };
}
