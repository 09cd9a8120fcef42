/** Where the photo of who was asked stands: data, and one pure function from what happened to what is shown. */
import type { Problem } from '@/api/client';
import type { Shot, ShotCause } from '@rtc/still';

export type Step =
  /** the camera's picture, and the button */
  | { at: 'frame' }
  | { at: 'taking' }
  /** the camera, or the file it gave, is no use */
  | { at: 'failed'; cause: ShotCause }
  /** to be looked at before it leaves; its key goes with it through every try */
  | { at: 'look'; shot: Shot; key: string }
  /** `part`: 0…1 */
  | { at: 'sending'; shot: Shot; key: string; part: number }
  /** the network, or the server for a moment: the same photo under the same key may go again */
  | { at: 'stuck'; shot: Shot; key: string; problem: Problem }
  /** the server does not want this photo, for good */
  | { at: 'unwanted'; problem: Problem }
  | { at: 'sent' };

export type Happened =
  | { did: 'take' }
  | { did: 'taken'; shot: Shot; key: string }
  | { did: 'failed'; cause: ShotCause }
  | { did: 'again' }
  | { did: 'send' }
  | { did: 'moved'; part: number }
  | { did: 'sent' }
  | { did: 'refused'; problem: Problem };

/** Problems that another try of the same may not have: no answer, too busy, restarting, or bytes changed on the way. */
export function curable(problem: Problem): boolean {
  if (problem.fields.some((f) => f.code === 'digest-differs')) return true;
  return problem.status === 0 || problem.status === 408 || problem.status === 429 || problem.status >= 500;
}

/** What does not fit where we are changes nothing: an answer that comes late, a second press. */
export function next(step: Step, h: Happened): Step {
  switch (h.did) {
    case 'take':
      return step.at === 'frame' || step.at === 'failed' ? { at: 'taking' } : step;
    case 'taken':
      return step.at === 'taking' ? { at: 'look', shot: h.shot, key: h.key } : step;
    case 'failed':
      return step.at === 'taking' ? { at: 'failed', cause: h.cause } : step;
    case 'again':
      return ['look', 'failed', 'stuck', 'unwanted'].includes(step.at) ? { at: 'frame' } : step;
    case 'send':
      return step.at === 'look' || step.at === 'stuck' ? { at: 'sending', shot: step.shot, key: step.key, part: 0 } : step;
    case 'moved':
      return step.at === 'sending' ? { ...step, part: Math.min(1, Math.max(step.part, h.part)) } : step;
    case 'sent':
      return step.at === 'sending' ? { at: 'sent' } : step;
    case 'refused':
      if (step.at !== 'sending') return step;
      return curable(h.problem) ? { at: 'stuck', shot: step.shot, key: step.key, problem: h.problem } : { at: 'unwanted', problem: h.problem };
  }
}
