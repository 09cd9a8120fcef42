/** Which one sentence stands over the picture, and the one thing to do about it. Pure. */
import type { CallSnapshot } from '@rtc/api';
import { problemsOf } from '@/features/diagnostics/problems';

const blockedCauses = ['consent_missing', 'consent_refused', 'consent_withdrawn', 'unavailable'] as const;

/** Key of the sentence (catalogue `call`); `devices`: the device's own sentence and its fix. */
export type Says =
  | 'interrupted'
  | `blocked.${(typeof blockedCauses)[number] | 'other'}`
  | 'joining'
  | 'joiningPro'
  | 'repairing'
  | 'offline'
  | 'lost'
  | 'lostPro'
  | 'reconnecting'
  | 'unstable'
  | 'ownStopped'
  | 'devices'
  | 'switched.microphone'
  | 'switched.camera'
  | 'offered'
  | 'mic.muted';

export type Does = 'resume' | 'consent' | 'reload' | 'retry' | 'use' | 'understood';

export type Notice = {
  says: Says;
  does?: Does;
  /** Said at once, over whatever is being read out. */
  urgent?: boolean;
};

/** The most pressing one; null when all is as it should be, or is said elsewhere. */
export function noticeOf(s: CallSnapshot): Notice | null {
  const problems = problemsOf(s.devices);
  if (problems.some((p) => p.cause === 'interrupted')) return { says: 'interrupted', does: 'resume', urgent: true };
  return ofState(s) ?? ofDevices(s);
}

function ofState(s: CallSnapshot): Notice | null {
  const host = s.me?.host === true;
  switch (s.state) {
    case 'blocked': {
      const cause = blockedCauses.find((c) => c === s.cause);
      return { says: `blocked.${cause ?? 'other'}`, ...(cause && cause !== 'unavailable' ? { does: 'consent' as const } : {}) };
    }
    case 'preparing':
    case 'joining':
      return { says: host ? 'joiningPro' : 'joining' };
    case 'lost':
      return { says: host ? 'lostPro' : 'lost', does: 'reload', urgent: true };
    case 'reconnecting':
      return { says: s.cause === 'offline' ? 'offline' : s.cause === 'signalling' ? 'reconnecting' : 'repairing' };
    case 'weak':
      if (s.cause === 'unstable') return { says: 'unstable' };
      return s.cause === 'audio-only' && s.pictureStopped ? { says: 'ownStopped' } : null;
    default:
      return null;
  }
}

function ofDevices(s: CallSnapshot): Notice | null {
  const problems = problemsOf(s.devices);
  const [first] = problems;
  // A switch on the headset is not undone by a tap on the screen.
  if (first) return { says: 'devices', ...(problems.some((p) => p.cause !== 'silent') ? { does: 'retry' as const } : {}) };
  if (s.deviceNote?.what === 'offered') return { says: 'offered', does: 'use' };
  if (s.deviceNote?.what === 'switched') return { says: `switched.${s.deviceNote.kind}`, does: 'understood' };
  return s.mic ? null : { says: 'mic.muted' };
}
