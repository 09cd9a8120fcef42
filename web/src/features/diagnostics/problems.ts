/** What is wrong with camera and microphone, and the sentence that mends it in this very browser. Pure. */
import type { CallSnapshot, DeviceCause, DeviceKind } from '@rtc/api';
import type { Browser } from './browser';

export function problemsOf(devices: CallSnapshot['devices']): { kind: DeviceKind; cause: DeviceCause }[] {
  return (['microphone', 'camera'] as const).flatMap((kind) => {
    const status = devices[kind];
    return status.state === 'problem' ? [{ kind, cause: status.cause }] : [];
  });
}

/** Key of the sentence in the catalogue `diagnostics`. */
export type Fix = `fix.denied.${Browser['name']}` | `fix.system.${Browser['family']}` | `fix.${Exclude<DeviceCause, 'denied' | 'system'>}`;

export function fixOf(cause: DeviceCause, browser: Browser): Fix {
  if (cause === 'denied') return `fix.denied.${browser.name}`;
  if (cause === 'system') return `fix.system.${browser.family}`;
  return `fix.${cause}`;
}
