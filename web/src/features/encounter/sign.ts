/** Signing everything of an act, in an order and with keys that no retry can turn into two signatures. */
import { asProblem, newIntention, type Problem } from '@/api/client';

export type ToSign = {
  /** `report`, or the prescription's id. */
  key: string;
  sign: (idempotencyKey: string) => Promise<unknown>;
};

export type Outcome =
  /** all signed */
  | { is: 'signed'; signed: string[] }
  /** some words are not on the server yet: nothing was signed */
  | { is: 'unsaved'; signed: [] }
  /** one was refused or did not get through; those after it were not tried */
  | { is: 'stopped'; signed: string[]; at: string; problem: Problem };

/** Keeps one key per thing to sign until the server has taken or refused it. */
export class Signer {
  private readonly keys = new Map<string, string>();

  /**
   * Saves every draft, then signs one after the other and stops at the first
   * that does not pass, so that the report is never signed over a prescription
   * that must still change.
   */
  async signAll(flush: () => Promise<boolean>, items: readonly ToSign[]): Promise<Outcome> {
    if (!(await flush())) return { is: 'unsaved', signed: [] };
    const signed: string[] = [];
    for (const item of items) {
      const intention = this.keys.get(item.key) ?? newIntention();
      this.keys.set(item.key, intention);
      try {
        await item.sign(intention);
        this.keys.delete(item.key);
        signed.push(item.key);
      } catch (cause) {
        const problem = asProblem(cause);
        // Refused: what is signed next is another text. Not answered: the same intention is asked again.
        if (problem.status >= 400 && problem.status < 500) this.keys.delete(item.key);
        return { is: 'stopped', signed, at: item.key, problem };
      }
    }
    return { is: 'signed', signed };
  }
}
