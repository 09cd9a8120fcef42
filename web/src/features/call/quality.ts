/** The link in one word, from what is really decoded. */
import type { CallSnapshot, MediaFacts } from '@rtc/api';

export type Quality = 'good' | 'weak' | 'sound' | 'none';

/** Frames per second under which a picture is not one any more. */
const fewFrames = 8;
/** Lost packets per second above which a voice is hard to follow. */
const manyLost = 25;

/**
 * `seconds` lie between the two readings. Without a first reading, or without
 * a picture to expect, the state alone decides.
 */
export function qualityOf(snapshot: CallSnapshot, before: MediaFacts | null, now: MediaFacts | null, seconds: number): Quality {
  if (snapshot.state === 'repairing' || snapshot.state === 'lost') return 'none';
  if (!before || !now || seconds <= 0) return 'good';
  const pictureExpected = snapshot.seats.some((s) => s.seat !== snapshot.me?.seat && s.camera && s.link === 'up');
  const frames = (now.framesDecoded - before.framesDecoded) / seconds;
  if (pictureExpected && frames <= 0) return 'sound';
  const lost = (now.packetsLost - before.packetsLost) / seconds;
  if (lost > manyLost || (pictureExpected && frames < fewFrames)) return 'weak';
  return 'good';
}
